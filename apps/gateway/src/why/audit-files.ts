import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { InspectedConfiguration } from "../config/load.ts";

/**
 * The files of the audit that a configuration names, from the oldest to the one that is written to: also those that the gate
 * or another program has rotated, such as `audit.jsonl.1`, `audit.jsonl.2.gz` and `audit.jsonl-20261128`.
 *
 * @returns none where its audit is no file.
 * @throws the error of the file system.
 */
export async function auditFiles({ loaded }: InspectedConfiguration): Promise<readonly string[]> {
  const output = loaded?.configuration.audit?.output;
  if (typeof output !== "object" || !("file" in output)) return [];
  const { file } = output;
  const directory = dirname(file);
  const name = basename(file);
  const names = (await readdir(directory)).filter((other) => isRotated(other, name));
  const rotated = await Promise.all(names.map(async (other) => withTime(join(directory, other))));
  rotated.sort((one, other) => one.changed - other.changed);
  return [...rotated.map(({ path }) => path), file];
}

function isRotated(other: string, name: string): boolean {
  return other.startsWith(name) && /^[.-]\d[\d.-]*(?:\.gz)?$/.test(other.slice(name.length));
}

async function withTime(path: string): Promise<{ readonly path: string; readonly changed: number }> {
  return { path, changed: (await stat(path)).mtimeMs };
}

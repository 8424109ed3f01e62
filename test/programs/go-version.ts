import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { GoModule, GoSource } from "./program.ts";

/** The absolute path of a program's source. */
export function sourceDirectory({ directory }: GoSource): string {
  return resolve(import.meta.dirname, "../..", directory);
}

/** What tells builds of a program apart. Source in this repository is known by its content: a change is built anew. */
export function goVersion(go: GoModule | GoSource): string {
  if ("module" in go) return go.version;
  const directory = sourceDirectory(go);
  const hash = createHash("sha256");
  for (const name of readdirSync(directory).sort())
    hash.update(`${name}\0`).update(readFileSync(join(directory, name)));
  return `0.0-${hash.digest("hex").slice(0, 16)}`;
}

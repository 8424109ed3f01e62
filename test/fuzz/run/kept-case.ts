import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FuzzCase } from "../case/fuzz-case.ts";
import { headlineOf } from "../judge/violation.ts";
import { commandFor, type Finding } from "./finding.ts";

/** A case that showed a fault once, and must never show it again. */
export interface KeptCase {
  /** What it showed. */
  readonly showed: string;
  /** The command by which it was found; another generation of the grammar makes something else of its seed. */
  readonly foundBy: string;
  readonly tls: boolean;
  readonly fuzzCase: FuzzCase;
}

const directory = join(import.meta.dirname, "..", "kept");

/** All that are kept, by the names of their files. */
export async function keptCases(): Promise<ReadonlyMap<string, KeptCase>> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".json")).sort();
  const kept = new Map<string, KeptCase>();
  for (const name of names) {
    const one: KeptCase = JSON.parse(await readFile(join(directory, name), "utf8"));
    kept.set(name, one);
  }
  return kept;
}

/** @returns the path of the file that the case is kept in. */
export async function keep(finding: Finding, fuzzCase: FuzzCase): Promise<string> {
  const { violation, campaign, tls, seeds } = finding;
  const kept: KeptCase = { showed: headlineOf(violation), foundBy: commandFor(finding), tls, fuzzCase };
  const path = join(directory, `${campaign}-${violation.kind}-${seeds.first}${tls ? "-tls" : ""}.json`);
  await writeFile(path, `${JSON.stringify(kept, undefined, 2)}\n`);
  return path;
}

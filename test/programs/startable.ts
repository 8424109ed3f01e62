import { dirname } from "node:path";
import { findProgram } from "./find-program.ts";
import { howToGet } from "./how-to-get.ts";
import { isProgramName, type ProgramName, programs } from "./programs.ts";

/** What the present test file may start; `undefined` where no test file runs. */
let declared: ReadonlySet<string> | undefined;

/** Sets what the present test file may start: what its imports declare. */
export function allowOnly(names: Iterable<string>): void {
  declared = new Set(names);
}

/** The folders of a machine's programs: what lies there has to be on the list. */
const folders = ["bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin"].map((name) => `/${name}`);

/**
 * The path by which a program is started.
 *
 * The name has to be a literal: that is how `pnpm test` knows what a test file needs. A path is taken as it is where it
 * leads to something that the tests brought themselves, such as Node or what they installed.
 *
 * @throws {Error} where the program is missing, is not on the list, or is not declared by what the test file imports.
 */
export function startable(program: string): string {
  if (program.includes("/")) {
    if (program === process.execPath || !folders.includes(dirname(program))) return program;
    throw new Error(`${program} is a program of the machine: start it by its name in test/programs/programs.ts`);
  }
  if (!isProgramName(program)) throw new Error(`${program} is not in test/programs/programs.ts`);
  if (declared !== undefined && !declared.has(program)) {
    throw new Error(
      `nothing that this test file imports starts ${program} by a literal name: see test/programs/README.md`,
    );
  }
  const path = findProgram(program);
  if (path === undefined) throw new Error(`${program} is missing: ${howToGet(programs[program])}`);
  return path;
}

/** Declares what a module starts in a way that is not seen: by a shell, or by a program that starts others. */
export function startedIndirectly(..._names: readonly ProgramName[]): void {}

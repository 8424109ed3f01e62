import type { Lack } from "../programs/lack.ts";
import type { Needs } from "../programs/needs.ts";
import type { ProgramName } from "../programs/programs.ts";

export interface TestFile {
  /** Below the root of the workspace. */
  readonly path: string;
  readonly needs: Needs;
}

/** A test file that is not run. */
export interface LeftOut {
  readonly path: string;
  /** What it needs and this machine has not got, and why. */
  readonly lacks: ReadonlyMap<ProgramName, Lack>;
}

export interface Choice {
  readonly run: readonly TestFile[];
  readonly leftOut: readonly LeftOut[];
}

/** Tells the files that can be run on this machine from those that cannot. */
export function chooseFiles(files: readonly TestFile[], lackOf: (name: ProgramName) => Lack | undefined): Choice {
  const run: TestFile[] = [];
  const leftOut: LeftOut[] = [];
  for (const file of files) {
    const lacks = new Map<ProgramName, Lack>();
    for (const name of file.needs.programs) {
      const lack = lackOf(name);
      if (lack !== undefined) lacks.set(name, lack);
    }
    if (lacks.size === 0) run.push(file);
    else leftOut.push({ path: file.path, lacks });
  }
  return { run, leftOut };
}

import { howToGet } from "../programs/how-to-get.ts";
import { type ProgramName, programs } from "../programs/programs.ts";
import type { LeftOut } from "./choose-files.ts";

/** Where the tests are run. */
export interface Machine {
  readonly debian: boolean;
  readonly root: boolean;
}

/** What was not run and what it needs, in lines, with the one that installs it last. Nothing where nothing was left out. */
export function reportLeftOut(leftOut: readonly LeftOut[], total: number, machine: Machine): readonly string[] {
  if (leftOut.length === 0) return [];
  const names = [...new Set(leftOut.flatMap(({ lacks }) => [...lacks.keys()]))].sort();
  const width = Math.max(...names.map((name) => name.length));
  const lines = names.map((name) => {
    const files = leftOut.filter(({ lacks }) => lacks.has(name));
    return `  ${name.padEnd(width)}  ${filesOf(files.length)}: ${reasonFor(name, files)}`;
  });
  return [
    `not run: ${leftOut.length} of ${filesOf(total)}, for want of what they start`,
    ...lines,
    ...installation(leftOut, machine),
  ];
}

/** The names of what CI must not be without. */
export function wantedByCi(leftOut: readonly LeftOut[]): readonly ProgramName[] {
  const names = new Set(leftOut.flatMap(({ lacks }) => [...lacks.keys()]));
  return [...names].filter((name) => programs[name].optional !== true).sort();
}

/** The packages of Debian that would let more files be run. */
export function missingPackages(leftOut: readonly LeftOut[]): readonly string[] {
  const packages = new Set<string>();
  for (const [name, lack] of leftOut.flatMap(({ lacks }) => [...lacks])) {
    const program = programs[name];
    if (lack === "missing" && "debian" in program) for (const each of program.debian) packages.add(each);
  }
  return [...packages].sort();
}

function reasonFor(name: ProgramName, files: readonly LeftOut[]): string {
  return files.some(({ lacks }) => lacks.get(name) === "needs root")
    ? "only root can run it"
    : howToGet(programs[name]);
}

function installation(leftOut: readonly LeftOut[], { debian, root }: Machine): readonly string[] {
  const packages = missingPackages(leftOut).join(" ");
  if (packages === "") return [];
  if (!debian) return [`to run them, install what Debian has in these packages: ${packages}`];
  return [`to run them: ${root ? "" : "sudo "}apt-get install --no-install-recommends ${packages}`];
}

function filesOf(count: number): string {
  return `${count} test ${count === 1 ? "file" : "files"}`;
}

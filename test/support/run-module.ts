import { execFile } from "node:child_process";

/** A program that has ended. */
export interface Ended {
  readonly code: number;
  /** What it printed, one JSON value a line. */
  readonly told: readonly unknown[];
  readonly stderr: string;
}

/**
 * Runs a module from source in a process of its own: the test runner listens for uncaught errors itself.
 *
 * @param source It has `tell(value)` to print a value, and `late(act)` to do something a moment later.
 * @param directory Where the packages that it imports are looked for.
 */
export function runModule(source: string, directory: string): Promise<Ended> {
  const helpers = `
    const tell = (value) => console.log(JSON.stringify(value));
    const late = (act) => void setTimeout(act, 5);
    `;
  const parameters = ["--conditions=development", "--input-type=module", "--eval", helpers + source];
  return new Promise((resolve) => {
    execFile(process.execPath, parameters, { cwd: directory }, (error, stdout, stderr) => {
      const told = stdout.split("\n").filter((line) => line !== "");
      resolve({ code: Number(error?.code ?? 0), told: told.map((line) => JSON.parse(line)), stderr });
    });
  });
}

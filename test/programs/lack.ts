import { execFileSync } from "node:child_process";
import { findProgram } from "./find-program.ts";
import { type ProgramName, programs } from "./programs.ts";

/** Why a program cannot be started here. */
export type Lack = "missing" | "needs root" | "needs Go";

/** @returns `undefined` where the program can be started. */
export function lackOf(name: ProgramName): Lack | undefined {
  const program = programs[name];
  if (findProgram(name) === undefined)
    return "go" in program && !goIsThere(program.go.leastGo) ? "needs Go" : "missing";
  return program.needsRoot === true && process.getuid?.() !== 0 ? "needs root" : undefined;
}

/** Whether a Go that is new enough is on the path. */
function goIsThere(least: string): boolean {
  const go = findProgram("go");
  return go !== undefined && isGoAtLeast(execFileSync(go, ["env", "GOVERSION"], { encoding: "utf8" }), least);
}

/**
 * Compares versions of Go.
 *
 * @param version As `go env GOVERSION` prints it, such as `go1.26.8`. Of an unreleased Go, nothing is known.
 * @param least Such as `1.26` or `1.26.7`.
 * @throws {RangeError} where `least` is not a version.
 */
export function isGoAtLeast(version: string, least: string): boolean {
  if (!/^\d+\.\d+(\.\d+)?$/.test(least)) throw new RangeError(`not a version of Go: ${least}`);
  const [found] = /\d+\.\d+(\.\d+)?/.exec(version) ?? [];
  if (found === undefined) return false;
  const has = found.split(".").map(Number);
  for (const [place, wanted] of least.split(".").map(Number).entries()) {
    const number = has[place] ?? 0;
    if (number !== wanted) return number > wanted;
  }
  return true;
}

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
  if (go === undefined) return false;
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(execFileSync(go, ["env", "GOVERSION"], { encoding: "utf8" })) ?? [];
  const [leastMajor, leastMinor] = least.split(".").map(Number);
  if (leastMajor === undefined || leastMinor === undefined) throw new RangeError(`not a version of Go: ${least}`);
  return Number(major) > leastMajor || (Number(major) === leastMajor && Number(minor) >= leastMinor);
}

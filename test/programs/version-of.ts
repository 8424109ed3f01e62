import { spawnSync } from "node:child_process";
import { findProgram } from "./find-program.ts";
import { goVersion } from "./go-version.ts";
import { isProgramName, type ProgramName, programs } from "./programs.ts";

/** The line in which a program says its version; `undefined` where there is none. */
export function versionOf(name: ProgramName): string | undefined {
  const program = programs[name];
  if ("go" in program) return goVersion(program.go);
  const [command, ...parameters] = program.version;
  const path = (isProgramName(command) ? findProgram(command) : undefined) ?? command;
  const { stdout, stderr } = spawnSync(path, parameters, { encoding: "utf8", timeout: 30_000, input: "" });
  const lines = `${stdout ?? ""}\n${stderr ?? ""}`.replaceAll(/\u001b\[[0-9;]*m/g, "").split("\n");
  return lines.map((line) => line.trim()).find((line) => /\d+\.\d+/.test(line));
}

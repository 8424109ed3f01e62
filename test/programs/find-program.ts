import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, sep } from "node:path";
import { goVersion } from "./go-version.ts";
import { findOldNode } from "./old-node.ts";
import { type ProgramName, programs } from "./programs.ts";

/** Where administrators' programs are. Debian has these folders on the path of root alone. */
const administration = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The folders in which programs are looked for, in their order. */
function searchPath(): readonly string[] {
  const path = (process.env.PATH ?? "").split(delimiter).filter((directory) => directory !== "");
  return [...new Set([...path, ...administration])];
}

/** The path of a program on the list; `undefined` where this machine has not got it. */
export function findProgram(name: ProgramName): string | undefined {
  const program = programs[name];
  if (program.file !== undefined) return isThere(program.file) ? program.file : undefined;
  if ("go" in program) {
    const built = builtProgram(name, goVersion(program.go));
    return isExecutable(built) ? built : undefined;
  }
  switch (name) {
    case "old-node":
      // Those of packages are nobody's own.
      return findOldNode(searchPath().filter((directory) => !directory.split(sep).includes("node_modules")));
    case "pnpm":
      return ownPnpm() ?? onPath(name);
    default:
      return onPath(name);
  }
}

/** Where Go puts a program of the list: in the user's cache, apart for each version. */
export function builtProgram(name: ProgramName, version: string): string {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(caches, "registry-gate", "programs", `${name}-${version}`, name);
}

/** The path of any program. */
export function onPath(name: string): string | undefined {
  return searchPath()
    .map((directory) => join(directory, name))
    .find(isExecutable);
}

/** The pnpm that runs this process, which need not be on the path. */
function ownPnpm(): string | undefined {
  const path = process.env.npm_execpath;
  return path !== undefined && /\bpnpm$/.test(path) && isExecutable(path) ? path : undefined;
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

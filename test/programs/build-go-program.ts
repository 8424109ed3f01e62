import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { builtProgram, findProgram } from "./find-program.ts";
import { goVersion, sourceDirectory } from "./go-version.ts";
import { type ProgramName, programs } from "./programs.ts";
import { startable } from "./startable.ts";

/**
 * Builds a program of the list, unless its version has been built before.
 *
 * @returns its path.
 * @throws {Error} with what Go said, where it cannot be built.
 */
export async function buildGoProgram(name: ProgramName): Promise<string> {
  const known = findProgram(name);
  if (known !== undefined) return known;
  const program = programs[name];
  if (!("go" in program)) throw new TypeError(`${name} is not built with Go`);
  const { go } = program;
  const path = builtProgram(name, goVersion(go));
  const directory = dirname(path);
  await mkdir(directory, { recursive: true });
  const building = await mkdtemp(join(directory, "building-"));
  try {
    // Everything else that Go heeds in the environment is left as it is.
    const env = { ...process.env, GOBIN: building };
    const [what, cwd] = "module" in go ? [`${go.module}@${go.version}`] : [".", sourceDirectory(go)];
    await promisify(execFile)(startable("go"), ["install", what], { env, cwd });
    const [binary] = await readdir(building);
    if (binary === undefined) throw new Error(`${name} is not a program`);
    // At one stroke, because others may be building it too.
    await rename(join(building, binary), path);
    return path;
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

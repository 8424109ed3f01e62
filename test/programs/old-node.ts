import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** The oldest version that the gate runs on, as `engines` of its packages has it. */
export const leastNode: readonly [major: number, minor: number] = [22, 15];

const found = new Map<string, string | undefined>();

/** The first Node in these folders that is too old for the gate. */
export function findOldNode(directories: readonly string[]): string | undefined {
  for (const directory of directories) {
    for (const name of ["node", "nodejs"]) {
      const path = join(directory, name);
      if (isOld(path)) return path;
    }
  }
  return undefined;
}

function isOld(path: string): boolean {
  if (!found.has(path)) found.set(path, versionOf(path));
  const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(found.get(path) ?? "") ?? [];
  if (major === undefined || minor === undefined) return false;
  const [leastMajor, leastMinor] = leastNode;
  return Number(major) < leastMajor || (Number(major) === leastMajor && Number(minor) < leastMinor);
}

function versionOf(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    return undefined;
  }
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 10_000 });
  return stdout ?? undefined;
}

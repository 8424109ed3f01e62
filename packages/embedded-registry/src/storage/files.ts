import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The value, or undefined where the file or folder does not exist; other faults are thrown. */
export async function orMissing<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return undefined;
    throw error;
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Writes a file so that a reader finds the old content or the new, and never a part. */
export async function writeAtomically(incoming: string, target: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(incoming, randomUUID());
  try {
    await writeFile(temporary, content);
    await moveInto(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Moves a file to its place, whose folders are made; what was there before is replaced at one stroke. */
export async function moveInto(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await rename(source, target);
}

export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  return await orMissing(readFile(path));
}

/** False where there was nothing to remove. */
export async function removeIfPresent(path: string): Promise<boolean> {
  return (await orMissing(unlink(path).then(() => true))) ?? false;
}

/** The names in a folder, sorted by code units; none where there is no such folder. */
export async function namesIn(path: string): Promise<string[]> {
  return ((await orMissing(readdir(path))) ?? []).sort();
}

export async function exists(path: string): Promise<boolean> {
  return (await orMissing(stat(path))) !== undefined;
}

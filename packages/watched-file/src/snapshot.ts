import type { BigIntStats } from "node:fs";
import { constants, type FileHandle, open, stat } from "node:fs/promises";
import { FileReadError, toFileReadError } from "./errors.ts";

/** What the file system says of a set of files at one moment. */
export interface Observation {
  /** Equal stamps: as far as the file system tells, no file of the set has changed. */
  readonly stamp: string;
  /** For how many milliseconds every file has been left alone, by the clock; negative where the clocks disagree. */
  readonly quietFor: number;
}

/**
 * Looks at the files, symbolic links followed.
 *
 * @throws {FileReadError} for the first that is missing, is no regular file or is too large.
 */
export async function observe(paths: readonly string[], maxBytes: number): Promise<Observation> {
  const stamps: string[] = [];
  let newest = 0;
  for (const path of paths) {
    try {
      const stats = await stat(path, { bigint: true });
      refuseUnreadable(stats, path, maxBytes);
      stamps.push(stampOf(stats));
      newest = Math.max(newest, Number(stats.ctimeMs));
    } catch (error) {
      throw toFileReadError(error, path);
    }
  }
  return { stamp: stamps.join(" "), quietFor: Date.now() - newest };
}

/**
 * Reads the files whole, provided that they are those of `stamp` both before and after.
 *
 * @returns `undefined` when a file changed meanwhile.
 * @throws {FileReadError}
 */
export async function readUnchanged(
  paths: readonly string[],
  stamp: string,
  maxBytes: number,
): Promise<readonly Buffer[] | undefined> {
  const stamps: string[] = [];
  const contents: Buffer[] = [];
  for (const path of paths) {
    let handle: FileHandle | undefined;
    try {
      // Without O_NONBLOCK, opening a pipe that has taken the file's place would wait for a writer.
      handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const stats = await handle.stat({ bigint: true });
      refuseUnreadable(stats, path, maxBytes);
      stamps.push(stampOf(stats));
      contents.push(await handle.readFile());
    } catch (error) {
      throw toFileReadError(error, path);
    } finally {
      await handle?.close();
    }
  }
  if (stamps.join(" ") !== stamp) return undefined;
  const after = await observe(paths, maxBytes);
  return after.stamp === stamp ? contents : undefined;
}

/** The change time is part of it because, unlike the modification time, no program can set it back. */
function stampOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

function refuseUnreadable(stats: BigIntStats, path: string, maxBytes: number): void {
  if (stats.isDirectory()) throw new FileReadError("EISDIR", path, "is a directory");
  if (!stats.isFile()) throw new FileReadError("ENOTREG", path, "is not a regular file");
  if (stats.size > BigInt(maxBytes)) throw new FileReadError("ETOOBIG", path, `is larger than ${maxBytes} bytes`);
}

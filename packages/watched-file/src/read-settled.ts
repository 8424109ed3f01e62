import { setTimeout as delay } from "node:timers/promises";
import { FileReadError } from "./errors.ts";
import { observe, readUnchanged } from "./snapshot.ts";

/** The content of a file at a moment when nobody was writing to it. */
export interface SettledFile {
  readonly path: string;
  readonly content: Buffer;
}

/** How a file is read. */
export interface ReadOptions {
  /** For how long a file must have been left alone before it is read, in milliseconds. Default 75. */
  readonly settle?: number;
  /** After how many milliseconds to give up on a file that keeps changing. Default 5000. */
  readonly patience?: number;
  /** The largest file to read, in bytes. Default 67 108 864 (64 MiB). */
  readonly maxBytes?: number;
}

export const DEFAULT_SETTLE = 75;
export const DEFAULT_MAX_BYTES: number = 64 * 1024 * 1024;
const DEFAULT_PATIENCE = 5000;

/**
 * Reads a file whole, once it has held still. A file that was left alone for `settle` milliseconds already is read
 * at once.
 *
 * @throws {FileReadError} when it is missing, cannot be read, is no regular file, is too large or keeps changing.
 */
export async function readSettled(path: string, options: ReadOptions = {}): Promise<SettledFile> {
  const [file] = await readSettledFiles([path], options);
  if (file === undefined) throw new RangeError("one path gives one file");
  return file;
}

/**
 * Reads several files that belong together, such as a certificate and its key, at a moment when none of them changed.
 *
 * @returns one for each path, in their order.
 * @throws {FileReadError}
 */
export async function readSettledFiles(
  paths: readonly string[],
  options: ReadOptions = {},
): Promise<readonly SettledFile[]> {
  const { settle = DEFAULT_SETTLE, patience = DEFAULT_PATIENCE, maxBytes = DEFAULT_MAX_BYTES } = options;
  const start = performance.now();
  let previous: string | undefined;
  for (;;) {
    const { stamp, quietFor } = await observe(paths, maxBytes);
    if (quietFor >= settle || stamp === previous) {
      const contents = await readUnchanged(paths, stamp, maxBytes);
      if (contents !== undefined) return pair(paths, contents);
    }
    if (performance.now() - start > patience) {
      throw new FileReadError("EUNSETTLED", paths.join(", "), `keeps changing, for ${patience} ms`);
    }
    previous = stamp;
    await delay(settle);
  }
}

function pair(paths: readonly string[], contents: readonly Buffer[]): readonly SettledFile[] {
  return contents.map((content, index) => ({ path: paths[index] ?? "", content }));
}

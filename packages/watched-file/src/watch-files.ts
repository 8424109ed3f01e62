import { createHash } from "node:crypto";
import { FileReadError } from "./errors.ts";
import { DEFAULT_MAX_BYTES, DEFAULT_SETTLE, type SettledFile } from "./read-settled.ts";
import { observe, readUnchanged } from "./snapshot.ts";

/** How files are followed. */
export interface WatchOptions {
  /**
   * Called when the files cannot be read, once for each new reason and not again while it lasts. What was delivered
   * before is the last good content.
   */
  readonly onError?: (error: FileReadError) => void;
  /**
   * What has been read already, by `readSettled` or `readSettledFiles` of the same paths: only content that differs
   * from it is delivered. Without it, the first content is delivered as well.
   */
  readonly since?: SettledFile | readonly SettledFile[];
  /** How often to look, in milliseconds. Default 200. */
  readonly interval?: number;
  /** For how long the files must have been left alone before they are read, in milliseconds. Default 75. */
  readonly settle?: number;
  /** The largest file to read, in bytes. Default 67 108 864 (64 MiB). */
  readonly maxBytes?: number;
}

/** A watch in progress. */
export interface FileWatch {
  /** Ends the watch: no listener is called afterwards. Calling it again does nothing. */
  close(): void;
}

/**
 * Two writes within one tick of the file system's clock leave the same times behind, and where the file kept its size
 * the second is invisible. The coarsest clocks tick every two seconds, so each content is read a second time after that.
 */
const COARSEST_TICK = 2500;

/**
 * Follows one file, by its path: edited in place, replaced by a rename, swapped behind a symbolic link (as Kubernetes
 * does with `..data`), deleted and created anew.
 *
 * `listener` receives the whole content, each time that it has become different and has settled: what the file system
 * says of it (device, inode, size, times) was the same for `settle` milliseconds, and before and after the read. A file
 * that was only touched is not delivered. A listener must not throw.
 *
 * The watch looks at the path every `interval` milliseconds and never keeps the process alive.
 */
export function watchFile(path: string, listener: (content: Buffer) => void, options: WatchOptions = {}): FileWatch {
  return watchFiles(
    [path],
    ([content]) => {
      if (content !== undefined) listener(content);
    },
    options,
  );
}

/**
 * Follows several files that belong together, such as a certificate and its key. `listener` receives all contents, in
 * the order of `paths`, when any of them has changed and all of them have settled.
 */
export function watchFiles(
  paths: readonly string[],
  listener: (contents: readonly Buffer[]) => void,
  options: WatchOptions = {},
): FileWatch {
  const { interval = 200, settle = DEFAULT_SETTLE, maxBytes = DEFAULT_MAX_BYTES, onError } = options;
  const watched = [...paths];
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  let delivered = options.since === undefined ? undefined : digest(contentsOf(options.since));
  /** The stamp of the last good read; undefined: read again. */
  let readStamp: string | undefined;
  let readAgainAt = Number.POSITIVE_INFINITY;
  /** The latest sight, and since when it has been the same. */
  let candidate: { readonly stamp: string; readonly since: number } | undefined;
  /** Why the files cannot be read, and since when. A gap of a moment is part of many ways of replacing a file. */
  let failing: { readonly reason: string; readonly since: number } | undefined;
  let reported: string | undefined;

  function fail(error: FileReadError): void {
    const reason = `${error.code} ${error.path}`;
    const now = performance.now();
    readStamp = undefined;
    if (failing?.reason !== reason) failing = { reason, since: now };
    if (now - failing.since < settle || reason === reported) return;
    reported = reason;
    onError?.(error);
  }

  function accept(stamp: string, contents: readonly Buffer[]): void {
    candidate = undefined;
    failing = undefined;
    reported = undefined;
    readAgainAt = stamp === readStamp ? Number.POSITIVE_INFINITY : performance.now() + COARSEST_TICK;
    readStamp = stamp;
    const sum = digest(contents);
    if (sum === delivered) return;
    delivered = sum;
    listener(contents);
  }

  async function look(): Promise<void> {
    try {
      const { stamp } = await observe(watched, maxBytes);
      const now = performance.now();
      if (stamp === readStamp && now < readAgainAt) {
        candidate = undefined;
        return;
      }
      if (candidate?.stamp !== stamp) candidate = { stamp, since: now };
      if (now - candidate.since < settle) return;
      const contents = await readUnchanged(watched, stamp, maxBytes);
      if (!closed && contents !== undefined) accept(stamp, contents);
    } catch (error) {
      if (!(error instanceof FileReadError)) throw error;
      if (!closed) fail(error);
    }
  }

  function schedule(wait: number): void {
    timer = setTimeout(() => {
      look().finally(() => {
        const waiting = candidate !== undefined || failing !== undefined;
        if (!closed) schedule(waiting && reported === undefined ? Math.min(settle, interval) : interval);
      });
    }, wait);
    timer.unref();
  }

  schedule(0);
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function contentsOf(files: SettledFile | readonly SettledFile[]): readonly Buffer[] {
  return "content" in files ? [files.content] : files.map((file) => file.content);
}

/** Over each content with its length before it, so that no two sets of files look the same. */
function digest(contents: readonly Buffer[]): string {
  const hash = createHash("sha256");
  for (const content of contents) hash.update(`${content.length}:`).update(content);
  return hash.digest("base64");
}

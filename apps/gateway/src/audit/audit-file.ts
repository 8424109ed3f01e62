import { constants, type FileHandle, open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Logger } from "@registry-gate/auth";
import { AppendError, type AuditLine, failureReason, type LineDestination } from "./line-destination.ts";

export interface AuditFileOptions {
  readonly path: string;
  /** In bytes. Default 100 MiB. */
  readonly maxSize?: number;
  /** How many full files are kept, as `path.1` (the newest), `path.2`, and so on. Default 10. */
  readonly keep?: number;
}

/** A destination that is open from the beginning. */
export interface AuditFile extends LineDestination {
  /** @throws an error of the system, or one whose message says what is wrong with the file. */
  open(): Promise<void>;
}

/** A link could lead anywhere. Without `O_NONBLOCK`, a named pipe without a reader would hold the process. */
const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const mode = 0o640;
/** How often it is found out whether the file was moved away, in milliseconds. */
const movedInterval = 1000;
/** When a rotation that failed is tried again, in milliseconds. */
const rotationRetry = 60_000;

const lineEnd = Buffer.from("\n");

/**
 * A file that lines are appended to. It is rotated by size, and opened anew where it was moved away or deleted. Another
 * process may append to it, and be killed in the middle of a line, or empty it.
 */
export function auditFile(options: AuditFileOptions, log: Logger): AuditFile {
  const { path, maxSize = 100 * 1024 * 1024, keep = 10 } = options;
  let handle: FileHandle | undefined;
  let size = 0;
  /** Of the file that is open. */
  let identity = "";
  /** How much of the next line was written already: the disk was full in the middle of it. */
  let begun = 0;
  /** Whether the last line has no end: what wrote it was killed. */
  let torn = false;
  let checkedAt = 0;
  let reopening = false;
  let rotateAfter = 0;

  async function openFile(): Promise<FileHandle> {
    const opened = await open(path, flags, mode);
    try {
      const status = await opened.stat();
      if (!status.isFile()) throw new Error("is not a regular file");
      if (status.size === 0) await syncDirectory(path);
      await measure(opened, status.size);
      identity = `${status.dev}:${status.ino}`;
    } catch (error) {
      await opened.close();
      throw error;
    }
    checkedAt = performance.now();
    reopening = false;
    handle = opened;
    return opened;
  }

  /** The next line is written as a whole, and after the end of the last one. */
  async function measure(file: FileHandle, length: number): Promise<void> {
    const last = Buffer.alloc(1);
    torn = length > 0 && (await file.read(last, 0, 1, length - 1)).bytesRead === 1 && !last.equals(lineEnd);
    size = length;
    begun = 0;
  }

  /** Another process may have written in between, also into the middle of a line. */
  async function lookAtEnd(file: FileHandle): Promise<void> {
    const status = await file.stat();
    if (status.size !== size) await measure(file, status.size);
  }

  async function closeFile(): Promise<void> {
    const closing = handle;
    handle = undefined;
    if (closing === undefined) return;
    try {
      await closing.datasync();
    } finally {
      await closing.close();
    }
  }

  async function wasMoved(): Promise<boolean> {
    const now = performance.now();
    if (now - checkedAt < movedInterval) return false;
    checkedAt = now;
    const status = await stat(path).catch(() => undefined);
    return status === undefined || `${status.dev}:${status.ino}` !== identity;
  }

  async function isGone(file: FileHandle): Promise<boolean> {
    if ((await file.stat()).nlink === 0) return true;
    // Never in the middle of a line, whose rest belongs into the same file.
    return begun === 0 && (reopening || (await wasMoved()));
  }

  async function current(): Promise<FileHandle> {
    if (handle !== undefined && (await isGone(handle))) await closeFile();
    return handle ?? openFile();
  }

  /** The highest number first, so that a crash in between loses nothing. */
  async function rotate(): Promise<void> {
    await closeFile();
    try {
      for (let number = keep - 1; number >= 1; number--) {
        await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(unlessMissing);
      }
      await rename(path, `${path}.1`).catch(unlessMissing);
      await syncDirectory(path);
    } catch (error) {
      rotateAfter = performance.now() + rotationRetry;
      log.error({ event: "audit rotation failed", reason: failureReason(error) }, "the audit file cannot be rotated");
    }
    await openFile();
  }

  function isFull(line: string): boolean {
    return size > 0 && begun === 0 && size + Buffer.byteLength(line) > maxSize && performance.now() >= rotateAfter;
  }

  async function write(file: FileHandle, bytes: Buffer): Promise<number> {
    const { bytesWritten } = await file.write(bytes, 0, bytes.length, null);
    if (bytesWritten === 0) throw new Error("nothing could be written");
    size += bytesWritten;
    return bytesWritten;
  }

  /** @param taken Is told how many lines were written as a whole, each time that some were. */
  async function writeLines(
    file: FileHandle,
    lines: readonly AuditLine[],
    taken: (count: number) => void,
  ): Promise<void> {
    const buffers = lines.map(({ text }) => Buffer.from(text));
    while (buffers.length > 0) {
      await lookAtEnd(file);
      if (torn) {
        await write(file, lineEnd);
        torn = false;
      }
      let written = await write(file, Buffer.concat(buffers).subarray(begun));
      let count = 0;
      for (let [first] = buffers; first !== undefined && begun + written >= first.length; [first] = buffers) {
        written -= first.length - begun;
        begun = 0;
        buffers.shift();
        count++;
      }
      begun += written;
      taken(count);
    }
  }

  /** As many as the file has room for; at least one. */
  function fitting(lines: readonly AuditLine[]): readonly AuditLine[] {
    let total = size - begun;
    const end = lines.findIndex(({ text }) => {
      total += Buffer.byteLength(text);
      return total > maxSize;
    });
    return end === -1 || performance.now() < rotateAfter ? lines : lines.slice(0, Math.max(end, 1));
  }

  return {
    async open() {
      await openFile();
    },
    async append(lines) {
      let taken = 0;
      try {
        await lookAtEnd(await current());
        let rest = lines;
        while (rest[0] !== undefined) {
          if (isFull(rest[0].text)) await rotate();
          const file = handle ?? (await openFile());
          await writeLines(file, fitting(rest), (count) => {
            taken += count;
          });
          rest = lines.slice(taken);
        }
      } catch (error) {
        throw new AppendError(failureReason(error), taken);
      }
    },
    async sync() {
      await handle?.datasync();
    },
    reopen() {
      reopening = true;
    },
    close: closeFile,
  };
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}

/** So that the name of a new file outlives a crash of the machine, too. Some file systems cannot. */
async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(dirname(path), constants.O_RDONLY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch {
    // The lines are what counts.
  }
}

import { constants } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { InvalidOptionsError } from "@registry-gate/auth";
import { systemErrorCode, writeFaultReason } from "@registry-gate/auth-kit";

/** What others than the owner may do with a file. */
const forOthers = 0o077;

/** What was found at the place of a database. */
export interface FoundFile {
  readonly exists: boolean;
  /** Whether other users of the machine can read or change it. */
  readonly exposed: boolean;
}

/**
 * Looks at the place of a database, and changes nothing.
 *
 * @throws {InvalidOptionsError} at `file` where there can be none.
 */
export async function findFile(file: string): Promise<FoundFile> {
  try {
    const stats = await stat(file);
    if (!stats.isFile()) throw fault(`is not a regular file: ${file}`);
    await access(file, constants.R_OK | constants.W_OK);
    return { exists: true, exposed: (stats.mode & forOthers) !== 0 };
  } catch (error) {
    if (error instanceof InvalidOptionsError) throw error;
    if (systemErrorCode(error) !== "ENOENT") throw fileFault(error, file);
  }
  const directory = dirname(file);
  await access(directory, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    throw fileFault(error, directory);
  });
  return { exists: false, exposed: false };
}

/**
 * Makes the empty file of a database, which only its owner can read, before SQLite would make one that follows the umask.
 * SQLite gives the files beside it (`-wal`, `-shm`) the same mode.
 *
 * @throws {InvalidOptionsError} at `file` where it cannot be made.
 */
export async function createPrivateFile(file: string): Promise<void> {
  try {
    const handle = await open(file, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    await handle.close();
  } catch (error) {
    // Another process was faster.
    if (systemErrorCode(error) !== "EEXIST") throw fileFault(error, file);
  }
}

function fileFault(error: unknown, path: string): InvalidOptionsError {
  const code = systemErrorCode(error) ?? "unknown error";
  return fault(`${writeFaultReason(code) ?? `cannot be used (${code})`}: ${path}`, error);
}

function fault(message: string, cause?: unknown): InvalidOptionsError {
  return new InvalidOptionsError([{ path: ["file"], message }], { cause });
}

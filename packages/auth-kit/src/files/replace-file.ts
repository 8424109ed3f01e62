import { constants } from "node:fs";
import { type FileHandle, lstat, open, readFile, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { overwriteFile } from "./overwrite-file.ts";
import { ReplaceError } from "./replace-error.ts";
import { systemErrorCode, writeFaultReason } from "./system-error.ts";

/** How {@link replaceFile} waits. */
export interface ReplaceOptions {
  /** For how long to wait for another run that holds the lock, in milliseconds. */
  readonly lockTimeout: number;
}

/**
 * Replaces the content of a file by what `edit` makes of it. Whoever reads the file sees the old content or the new one,
 * whole, also after a crash. Mode and, where the process may, owner are kept; a new file can be read by its owner alone.
 * Of a symbolic link, the target is replaced. Only a file that is a mount point, as in a container, is written in place.
 *
 * The new content is written to `FILE.lock` in the same directory, which must not exist: that file is the lock as well,
 * so of two runs at once the second waits and then edits what the first has written.
 *
 * @throws {ReplaceError}
 */
export async function replaceFile<T extends { readonly content: Buffer }>(
  file: string,
  edit: (content: Buffer) => T,
  { lockTimeout }: ReplaceOptions,
): Promise<T> {
  const target = await targetOf(file);
  const lock = `${target}.lock`;
  const handle = await acquire(lock, lockTimeout);
  try {
    const { content, owner } = await readExisting(target);
    const edited = edit(content);
    await handle.writeFile(edited.content);
    if (owner !== undefined) {
      await keepOwner(handle, owner);
      await handle.chmod(owner.mode);
    }
    await handle.sync();
    try {
      await rename(lock, target);
    } catch (error) {
      if (systemErrorCode(error) !== "EBUSY") throw error;
      await overwriteFile(target, content, edited.content);
      await rm(lock);
    }
    await syncDirectory(dirname(target));
    return edited;
  } catch (error) {
    await rm(lock, { force: true });
    throw toReplaceError(error, target);
  } finally {
    await handle.close();
  }
}

async function targetOf(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw toReplaceError(error, file);
  }
  // There is nothing at the end of the path: a new file, or a link that leads nowhere.
  // By now another run may have made the file.
  const found = await lstat(file).catch(() => undefined);
  if (found?.isSymbolicLink() === true) throw new ReplaceError(`is a dangling symbolic link: ${file}`);
  try {
    return join(await realpath(dirname(file)), basename(file));
  } catch (error) {
    throw toReplaceError(error, dirname(file));
  }
}

async function acquire(lock: string, lockTimeout: number): Promise<FileHandle> {
  const start = performance.now();
  for (;;) {
    try {
      return await open(lock, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw toReplaceError(error, dirname(lock));
    }
    if (performance.now() - start > lockTimeout) {
      throw new ReplaceError(`is being changed by another run; if there is none, remove ${lock}`);
    }
    await delay(10 + Math.random() * 20);
  }
}

interface Owner {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

async function readExisting(path: string): Promise<{ content: Buffer; owner: Owner | undefined }> {
  try {
    const stats = await lstat(path);
    if (stats.isDirectory()) throw new ReplaceError(`is a directory: ${path}`);
    if (!stats.isFile()) throw new ReplaceError(`is not a regular file: ${path}`);
    const { uid, gid } = stats;
    return { content: await readFile(path), owner: { uid, gid, mode: stats.mode & 0o7777 } };
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return { content: Buffer.alloc(0), owner: undefined };
    throw error;
  }
}

/** Only the superuser may give files away; others keep at least the group where they belong to it. */
async function keepOwner(handle: FileHandle, { uid, gid }: Owner): Promise<void> {
  const now = await handle.stat();
  if (now.uid === uid && now.gid === gid) return;
  try {
    await handle.chown(uid, gid);
  } catch (error) {
    if (systemErrorCode(error) !== "EPERM") throw error;
    if (now.gid !== gid) await handle.chown(now.uid, gid).catch(() => undefined);
  }
}

/** Makes the rename outlast a crash. Not every file system lets a directory be synchronised. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY).catch(() => undefined);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}

function toReplaceError(error: unknown, path: string): unknown {
  const code = systemErrorCode(error);
  if (code === undefined) return error;
  return new ReplaceError(`${writeFaultReason(code) ?? `cannot be written (${code})`}: ${path}`, { cause: error });
}

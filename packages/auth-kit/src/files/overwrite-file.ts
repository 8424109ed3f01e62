import { constants } from "node:fs";
import { open, rm } from "node:fs/promises";
import { ReplaceError } from "./replace-error.ts";

/**
 * Writes a new content over the old one, for a file that cannot be replaced by a rename, such as one that is mounted into
 * a container by itself. The old content is kept in `FILE.backup` meanwhile: whoever reads the file at that moment may see
 * part of both, and so does whoever reads it after a crash.
 *
 * @throws {ReplaceError} where the old content could not be put back, or a backup is left over from a run that was ended.
 */
export async function overwriteFile(path: string, before: Buffer, after: Buffer): Promise<void> {
  const backup = `${path}.backup`;
  await writeBackup(backup, before);
  try {
    await writeInPlace(path, after);
  } catch (error) {
    await writeInPlace(path, before).catch((cause: unknown) => {
      throw new ReplaceError(`is partly written; its previous content is in ${backup}`, { cause });
    });
    await rm(backup);
    throw error;
  }
  await rm(backup);
}

async function writeBackup(path: string, content: Buffer): Promise<void> {
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600).catch((cause) => {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause;
    throw new ReplaceError(`was partly written by an interrupted run; its previous content is in ${path}`, { cause });
  });
  try {
    await handle.writeFile(content);
    await handle.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** The file is at no time empty, and only at its end can there be something of the old content. */
async function writeInPlace(path: string, content: Buffer): Promise<void> {
  const handle = await open(path, constants.O_WRONLY);
  try {
    for (let written = 0; written < content.length; ) {
      written += (await handle.write(content, written, content.length - written, written)).bytesWritten;
    }
    await handle.truncate(content.length);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

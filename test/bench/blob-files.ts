import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Calls `use` with a directory that holds files of zeros, which take no room on the disk, and removes it.
 *
 * @param sizes Of each file by its name, in bytes.
 */
export async function withBlobFiles<Result>(
  sizes: Readonly<Record<string, number>>,
  use: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-blobs-"));
  try {
    for (const [name, bytes] of Object.entries(sizes)) {
      const file = await open(join(directory, name), "w");
      await file.truncate(bytes);
      await file.close();
    }
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

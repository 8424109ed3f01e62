import type { FileHandle } from "node:fs/promises";
import { link, mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Digest } from "../names/digest.ts";
import { hasCode, moveInto, orMissing, removeIfPresent } from "./files.ts";
import type { Layout } from "./layout.ts";

/** The blobs of each repository. One that several repositories hold is stored once and goes with the last of them. */
export interface BlobStore {
  /** In bytes; undefined where the repository has no such blob. */
  size(repository: string, digest: Digest): Promise<number | undefined>;
  /** The caller closes the handle. What it reads stays whole when the blob is deleted meanwhile. */
  open(repository: string, digest: Digest): Promise<{ handle: FileHandle; size: number } | undefined>;
  /** Takes over the file at `path`, whose content was checked to have this digest. */
  adopt(repository: string, digest: Digest, path: string): Promise<void>;
  /** False where `source` has no such blob. */
  mount(repository: string, digest: Digest, source: string): Promise<boolean>;
  /** False where there was none. */
  remove(repository: string, digest: Digest): Promise<boolean>;
}

export function createBlobStore(layout: Layout): BlobStore {
  return {
    async size(repository, digest) {
      return (await orMissing(stat(layout.blob(repository, digest))))?.size;
    },
    async open(repository, digest) {
      const handle = await orMissing(open(layout.blob(repository, digest)));
      if (handle === undefined) return undefined;
      try {
        return { handle, size: (await handle.stat()).size };
      } catch (error) {
        await handle.close();
        throw error;
      }
    },
    async adopt(repository, digest, path) {
      await moveInto(path, layout.blob(repository, digest));
    },
    async mount(repository, digest, source) {
      const target = layout.blob(repository, digest);
      if ((await orMissing(stat(layout.blob(source, digest)))) === undefined) return false;
      await mkdir(dirname(target), { recursive: true });
      try {
        await link(layout.blob(source, digest), target);
      } catch (error) {
        if (hasCode(error, "ENOENT")) return false;
        if (!hasCode(error, "EEXIST")) throw error;
      }
      return true;
    },
    remove: (repository, digest) => removeIfPresent(layout.blob(repository, digest)),
  };
}

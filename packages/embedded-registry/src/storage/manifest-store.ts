import type { Digest } from "../names/digest.ts";
import { parseDigest } from "../names/digest.ts";
import { exists, namesIn, readIfPresent, removeIfPresent, writeAtomically } from "./files.ts";
import type { Layout } from "./layout.ts";

export interface StoredManifest {
  readonly mediaType: string;
  readonly content: Buffer;
}

/** Manifests and the tags that point at them. */
export interface ManifestStore {
  has(repository: string, digest: Digest): Promise<boolean>;
  read(repository: string, digest: Digest): Promise<StoredManifest | undefined>;
  write(repository: string, digest: Digest, manifest: StoredManifest): Promise<void>;
  /** Removes the manifest and every tag that points at it. False where there was none. */
  remove(repository: string, digest: Digest): Promise<boolean>;
  resolveTag(repository: string, tag: string): Promise<Digest | undefined>;
  setTag(repository: string, tag: string, digest: Digest): Promise<void>;
  removeTag(repository: string, tag: string): Promise<boolean>;
  /** Sorted by code units; undefined where there is no such repository. */
  tags(repository: string): Promise<string[] | undefined>;
}

const lineFeed = 0x0a;

export function createManifestStore(layout: Layout): ManifestStore {
  const resolveTag: ManifestStore["resolveTag"] = async (repository, tag) => {
    const text = await readIfPresent(layout.tag(repository, tag));
    return text === undefined ? undefined : parseDigest(text.toString("latin1"));
  };
  return {
    has: (repository, digest) => exists(layout.manifest(repository, digest)),
    async read(repository, digest) {
      const file = await readIfPresent(layout.manifest(repository, digest));
      if (file === undefined) return undefined;
      const end = file.indexOf(lineFeed);
      return { mediaType: file.toString("latin1", 0, end), content: file.subarray(end + 1) };
    },
    async write(repository, digest, manifest) {
      // Type and content are one file, so that they are always each other's.
      const file = Buffer.concat([Buffer.from(`${manifest.mediaType}\n`, "latin1"), manifest.content]);
      await writeAtomically(layout.incoming, layout.manifest(repository, digest), file);
    },
    async remove(repository, digest) {
      if (!(await removeIfPresent(layout.manifest(repository, digest)))) return false;
      for (const tag of await namesIn(layout.tags(repository))) {
        if ((await resolveTag(repository, tag))?.text === digest.text)
          await removeIfPresent(layout.tag(repository, tag));
      }
      return true;
    },
    resolveTag,
    setTag: (repository, tag, digest) => writeAtomically(layout.incoming, layout.tag(repository, tag), digest.text),
    removeTag: (repository, tag) => removeIfPresent(layout.tag(repository, tag)),
    async tags(repository) {
      const present = await Promise.all(layout.contents(repository).map(exists));
      return present.includes(true) ? await namesIn(layout.tags(repository)) : undefined;
    },
  };
}

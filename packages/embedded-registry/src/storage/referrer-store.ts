import type { Digest } from "../names/digest.ts";
import { parseDigest } from "../names/digest.ts";
import { namesIn, removeIfPresent, writeAtomically } from "./files.ts";
import type { Layout } from "./layout.ts";

/** Which manifests name which as their subject. The subject need not exist. */
export interface ReferrerStore {
  add(repository: string, subject: Digest, manifest: Digest): Promise<void>;
  remove(repository: string, subject: Digest, manifest: Digest): Promise<void>;
  list(repository: string, subject: Digest): Promise<Digest[]>;
}

export function createReferrerStore(layout: Layout): ReferrerStore {
  return {
    async add(repository, subject, manifest) {
      await writeAtomically(layout.incoming, layout.referrer(repository, subject, manifest), "");
    },
    async remove(repository, subject, manifest) {
      await removeIfPresent(layout.referrer(repository, subject, manifest));
    },
    async list(repository, subject) {
      const names = await namesIn(layout.referrers(repository, subject));
      return names.flatMap((name) => parseDigest(name.replace("-", ":")) ?? []);
    },
  };
}

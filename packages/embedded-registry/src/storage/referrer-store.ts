import { join } from "node:path";
import type { Digest } from "../names/digest.ts";
import { namesIn, readIfPresent, removeIfPresent, writeAtomically } from "./files.ts";
import type { Layout } from "./layout.ts";

/** What the referrers list says of a manifest (OCI image specification 1.1, "Content Descriptors"). */
export interface ReferrerDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Which manifests name which as their subject. The subject need not exist. */
export interface ReferrerStore {
  add(repository: string, subject: Digest, manifest: Digest, descriptor: ReferrerDescriptor): Promise<void>;
  remove(repository: string, subject: Digest, manifest: Digest): Promise<void>;
  list(repository: string, subject: Digest): Promise<ReferrerDescriptor[]>;
}

export function createReferrerStore(layout: Layout): ReferrerStore {
  return {
    async add(repository, subject, manifest, descriptor) {
      const target = layout.referrer(repository, subject, manifest);
      await writeAtomically(layout.incoming, target, JSON.stringify(descriptor));
    },
    async remove(repository, subject, manifest) {
      await removeIfPresent(layout.referrer(repository, subject, manifest));
    },
    async list(repository, subject) {
      const folder = layout.referrers(repository, subject);
      const descriptors: ReferrerDescriptor[] = [];
      for (const name of await namesIn(folder)) {
        const file = await readIfPresent(join(folder, name));
        if (file !== undefined) descriptors.push(JSON.parse(file.toString("utf8")));
      }
      return descriptors;
    },
  };
}

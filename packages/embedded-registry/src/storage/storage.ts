import { mkdir, rm } from "node:fs/promises";
import type { BlobStore } from "./blob-store.ts";
import { createBlobStore } from "./blob-store.ts";
import { layoutOf } from "./layout.ts";
import type { ManifestStore } from "./manifest-store.ts";
import { createManifestStore } from "./manifest-store.ts";
import type { ReferrerStore } from "./referrer-store.ts";
import { createReferrerStore } from "./referrer-store.ts";
import { listRepositories } from "./repository-list.ts";
import type { UploadStore } from "./upload-store.ts";
import { createUploadStore } from "./upload-store.ts";

/** Everything that the registry keeps. */
export interface Storage {
  readonly blobs: BlobStore;
  readonly manifests: ManifestStore;
  readonly referrers: ReferrerStore;
  readonly uploads: UploadStore;
  repositories(): Promise<string[]>;
}

/** Opens the storage in `directory`, which is made where it is missing. Uploads left over from before are dropped. */
export async function openStorage(directory: string): Promise<Storage> {
  const layout = layoutOf(directory);
  await rm(layout.incoming, { recursive: true, force: true });
  await mkdir(layout.incoming, { recursive: true });
  await mkdir(layout.repositories, { recursive: true });
  return {
    blobs: createBlobStore(layout),
    manifests: createManifestStore(layout),
    referrers: createReferrerStore(layout),
    uploads: createUploadStore(layout),
    repositories: () => listRepositories(layout),
  };
}

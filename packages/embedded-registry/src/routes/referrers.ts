import type { Exchange } from "../http/exchange.ts";
import { sendJson } from "../http/exchange.ts";
import type { Digest } from "../names/digest.ts";
import type { Storage } from "../storage/storage.ts";
import { ociIndex, readManifest } from "./manifest-content.ts";
import { requireDigest } from "./references.ts";

/** What the list says of a manifest (OCI image specification 1.1, "Content Descriptors"). */
interface ReferrerDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** `GET /v2/<name>/referrers/<digest>` (OCI distribution specification 1.1, end-12). All of them in one answer. */
export async function getReferrers(
  exchange: Exchange,
  storage: Storage,
  repository: string,
  digestText: string,
): Promise<void> {
  const all: ReferrerDescriptor[] = [];
  for (const digest of await storage.referrers.list(repository, requireDigest(digestText))) {
    const descriptor = await describe(storage, repository, digest);
    if (descriptor !== undefined) all.push(descriptor);
  }
  const artifactType = exchange.query.get("artifactType");
  const manifests = artifactType === null ? all : all.filter((referrer) => referrer.artifactType === artifactType);
  const filtered = artifactType === null ? {} : { "oci-filters-applied": "artifactType" };
  sendJson(exchange, { schemaVersion: 2, mediaType: ociIndex, manifests }, { "content-type": ociIndex, ...filtered });
}

/** Undefined where the manifest was deleted meanwhile. */
async function describe(storage: Storage, repository: string, digest: Digest): Promise<ReferrerDescriptor | undefined> {
  const manifest = await storage.manifests.read(repository, digest);
  if (manifest === undefined) return undefined;
  const { mediaType, artifactType, annotations } = readManifest(manifest.content, manifest.mediaType);
  return {
    mediaType,
    digest: digest.text,
    size: manifest.content.byteLength,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

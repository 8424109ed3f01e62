import type { Exchange } from "../http/exchange.ts";
import { sendJson } from "../http/exchange.ts";
import type { Storage } from "../storage/storage.ts";
import { ociIndex } from "./manifest-content.ts";
import { requireDigest } from "./references.ts";

/** `GET /v2/<name>/referrers/<digest>` (OCI distribution specification 1.1, end-12). All of them in one answer. */
export async function getReferrers(
  exchange: Exchange,
  storage: Storage,
  repository: string,
  digestText: string,
): Promise<void> {
  const all = await storage.referrers.list(repository, requireDigest(digestText));
  const artifactType = exchange.query.get("artifactType");
  const manifests = artifactType === null ? all : all.filter((referrer) => referrer.artifactType === artifactType);
  const filtered = artifactType === null ? {} : { "oci-filters-applied": "artifactType" };
  sendJson(exchange, { schemaVersion: 2, mediaType: ociIndex, manifests }, { "content-type": ociIndex, ...filtered });
}

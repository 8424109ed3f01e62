import { createHash } from "node:crypto";
import type { Exchange } from "../http/exchange.ts";
import { alreadyHeld, readWhole, sendEmpty } from "../http/exchange.ts";
import { Problem } from "../http/problem.ts";
import type { Digest } from "../names/digest.ts";
import { digestOf } from "../names/digest.ts";
import type { Storage } from "../storage/storage.ts";
import type { ManifestFacts } from "./manifest-content.ts";
import { readManifest } from "./manifest-content.ts";
import type { Reference } from "./references.ts";
import { requireReference } from "./references.ts";

/** In bytes, as docker-registry; the OCI specification asks for 4 MiB at least. */
const largestManifest = 4 * 1024 * 1024;

/** `GET` and `HEAD /v2/<name>/manifests/<reference>` (OCI distribution specification 1.1, end-3). */
export async function getManifest(
  exchange: Exchange,
  storage: Storage,
  repository: string,
  referenceText: string,
): Promise<void> {
  const reference = requireReference(referenceText);
  const digest = await resolve(storage, repository, reference);
  const manifest = digest === undefined ? undefined : await storage.manifests.read(repository, digest);
  if (digest === undefined || manifest === undefined) throw unknown(repository, referenceText);
  const etag = `"${digest.text}"`;
  const headers = { "docker-content-digest": digest.text, etag };
  if (alreadyHeld(exchange, etag)) {
    sendEmpty(exchange, 304, headers);
    return;
  }
  exchange.response.writeHead(200, {
    ...headers,
    "content-type": manifest.mediaType,
    "content-length": manifest.content.byteLength,
  });
  exchange.response.end(exchange.request.method === "HEAD" ? undefined : manifest.content);
}

/** `PUT /v2/<name>/manifests/<reference>` (end-7). */
export async function putManifest(
  exchange: Exchange,
  storage: Storage,
  repository: string,
  referenceText: string,
): Promise<void> {
  const reference = requireReference(referenceText);
  const content = await readWhole(exchange, largestManifest);
  const algorithm = reference.kind === "digest" ? reference.digest.algorithm : "sha256";
  const digest = digestOf(algorithm, createHash(algorithm).update(content).digest("hex"));
  if (reference.kind === "digest" && reference.digest.hex !== digest.hex) {
    throw new Problem(400, "DIGEST_INVALID", "provided digest did not match uploaded content", {
      digest: referenceText,
    });
  }
  const facts = readManifest(content, exchange.request.headers["content-type"]);
  await requireReferenced(storage, repository, facts);
  await storage.manifests.write(repository, digest, { mediaType: facts.mediaType, content });
  if (facts.subject !== undefined) await storage.referrers.add(repository, facts.subject, digest);
  if (reference.kind === "tag") await storage.manifests.setTag(repository, reference.tag, digest);
  sendEmpty(exchange, 201, {
    location: `${exchange.origin}/v2/${repository}/manifests/${digest.text}`,
    "docker-content-digest": digest.text,
    ...(facts.subject === undefined ? {} : { "oci-subject": facts.subject.text }),
  });
}

/** `DELETE /v2/<name>/manifests/<reference>` (end-9): a tag alone, or a manifest with the tags that point at it. */
export async function deleteManifest(
  exchange: Exchange,
  storage: Storage,
  repository: string,
  referenceText: string,
): Promise<void> {
  const reference = requireReference(referenceText);
  const removed =
    reference.kind === "tag"
      ? await storage.manifests.removeTag(repository, reference.tag)
      : await removeManifest(storage, repository, reference.digest);
  if (!removed) throw unknown(repository, referenceText);
  sendEmpty(exchange, 202);
}

async function removeManifest(storage: Storage, repository: string, digest: Digest): Promise<boolean> {
  const manifest = await storage.manifests.read(repository, digest);
  if (manifest === undefined) return false;
  const { subject } = readManifest(manifest.content, manifest.mediaType);
  if (subject !== undefined) await storage.referrers.remove(repository, subject, digest);
  return await storage.manifests.remove(repository, digest);
}

async function resolve(storage: Storage, repository: string, reference: Reference): Promise<Digest | undefined> {
  return reference.kind === "digest" ? reference.digest : await storage.manifests.resolveTag(repository, reference.tag);
}

async function requireReferenced(storage: Storage, repository: string, facts: ManifestFacts): Promise<void> {
  for (const digest of facts.blobs) {
    if ((await storage.blobs.size(repository, digest)) === undefined) throw missing(digest);
  }
  for (const digest of facts.manifests) {
    if (!(await storage.manifests.has(repository, digest))) throw missing(digest);
  }
}

function missing(digest: Digest): Problem {
  return new Problem(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", { digest: digest.text });
}

function unknown(repository: string, reference: string): Problem {
  return new Problem(404, "MANIFEST_UNKNOWN", "manifest unknown", { name: repository, reference });
}

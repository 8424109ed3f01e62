import { Problem } from "../http/problem.ts";
import type { Digest } from "../names/digest.ts";
import { parseDigest } from "../names/digest.ts";

export const ociIndex = "application/vnd.oci.image.index.v1+json";
const ociManifest = "application/vnd.oci.image.manifest.v1+json";
const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
const dockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

/** What the registry needs to know of a manifest. */
export interface ManifestFacts {
  readonly mediaType: string;
  readonly subject: Digest | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  /** Must be in the repository before the manifest. */
  readonly blobs: readonly Digest[];
  /** Must be in the repository before the index. */
  readonly manifests: readonly Digest[];
}

/**
 * Reads an image manifest or index, of the OCI image specification 1.1 or Docker's schema 2. Throws a 400 problem where it
 * is neither, or where `contentType` and the manifest disagree.
 */
export function readManifest(content: Buffer, contentType: string | undefined): ManifestFacts {
  const manifest = parseObject(content);
  if (manifest.schemaVersion !== 2) throw invalid("schemaVersion is not 2");
  const written = optionalString(manifest, "mediaType");
  const declared = contentType?.split(";")[0]?.trim().toLowerCase();
  if (written !== undefined && declared !== undefined && written !== declared) {
    throw invalid(`mediaType ${written} is not the Content-Type ${declared}`);
  }
  const mediaType = declared ?? written;
  const subject = optionalObject(manifest, "subject");
  const facts = {
    subject: subject === undefined ? undefined : descriptorDigest(subject, "subject"),
    annotations: annotationsOf(manifest),
  };
  const artifactType = optionalString(manifest, "artifactType");
  if (mediaType === ociManifest || mediaType === dockerManifest) {
    const config = optionalObject(manifest, "config");
    if (config === undefined) throw invalid("config is missing");
    const layers = objects(manifest, "layers").filter(isDistributed);
    const blobs = [config, ...layers].map((descriptor) => descriptorDigest(descriptor, "config or layers"));
    // An image without a type of its own is of its configuration's ("Listing Referrers").
    const type = artifactType === undefined || artifactType === "" ? optionalString(config, "mediaType") : artifactType;
    return { ...facts, mediaType, artifactType: type, blobs, manifests: [] };
  }
  if (mediaType === ociIndex || mediaType === dockerList) {
    const manifests = objects(manifest, "manifests").map((descriptor) => descriptorDigest(descriptor, "manifests"));
    return { ...facts, mediaType, artifactType, blobs: [], manifests };
  }
  throw invalid(`media type ${mediaType ?? "(none)"} is not one of a manifest`);
}

type JsonObject = Readonly<Record<string, unknown>>;

function invalid(reason: string): Problem {
  return new Problem(400, "MANIFEST_INVALID", "manifest invalid", reason);
}

function parseObject(content: Buffer): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(content.toString("utf8"));
  } catch {
    throw invalid("not JSON");
  }
  if (!isObject(value)) throw invalid("not a JSON object");
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function optionalString(object: JsonObject, key: string): string | undefined {
  const value = object[key];
  if (value === undefined || typeof value === "string") return value;
  throw invalid(`${key} is not a string`);
}

function optionalObject(object: JsonObject, key: string): JsonObject | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (isObject(value)) return value;
  throw invalid(`${key} is not an object`);
}

function objects(object: JsonObject, key: string): JsonObject[] {
  const value = object[key] ?? [];
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw invalid(`${key} is not a list of descriptors`);
}

function descriptorDigest(descriptor: JsonObject, where: string): Digest {
  const digest = parseDigest(optionalString(descriptor, "digest") ?? "");
  if (digest === undefined) throw invalid(`a digest in ${where} is invalid`);
  return digest;
}

/** Layers that may not be distributed lie elsewhere, and are not asked for here. */
function isDistributed(layer: JsonObject): boolean {
  const mediaType = optionalString(layer, "mediaType") ?? "";
  const urls = layer.urls;
  const elsewhere = Array.isArray(urls) && urls.length > 0;
  return !elsewhere && !mediaType.includes(".nondistributable.") && !mediaType.includes(".foreign.");
}

function annotationsOf(manifest: JsonObject): Readonly<Record<string, string>> | undefined {
  const object = optionalObject(manifest, "annotations");
  if (object === undefined) return undefined;
  const annotations: Record<string, string> = {};
  for (const [key, value] of Object.entries(object)) {
    if (typeof value !== "string") throw invalid("an annotation is not a string");
    annotations[key] = value;
  }
  return annotations;
}

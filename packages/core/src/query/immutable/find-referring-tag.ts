import type { ImmutableTags } from "../../authorize/policy.ts";
import { type RepositoryReader, unclear } from "./repository-reader.ts";

/** Manifests of these types refer to blobs only; others may refer to further manifests. */
const singleManifests: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.artifact.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
]);

/**
 * Finds an immutable tag that would be broken without a manifest or a blob: its own manifest, one that an index under
 * it refers to at any depth, or a blob of one of these. A manifest's `subject` is not needed to pull it.
 *
 * @param kind What would be deleted. For a manifest, manifests that refer to blobs only need not be read.
 * @throws {UpstreamFault} where the registry gives no clear result.
 */
export async function findReferringTag(
  reader: RepositoryReader,
  isImmutable: ImmutableTags,
  digest: string,
  kind: "manifest" | "blob",
): Promise<string | undefined> {
  const seen = new Set<string>();

  async function refersIn(manifest: string, type: string | undefined, optional: boolean): Promise<boolean> {
    if (isSame(manifest, digest)) return true;
    if (seen.has(manifest) || (kind === "manifest" && type !== undefined && singleManifests.has(type))) return false;
    seen.add(manifest);
    const content = await reader.manifest(manifest);
    if (content === undefined) {
      // An index may refer to platforms that were never pushed.
      if (optional) return false;
      throw unclear("the manifest of a tag is missing");
    }
    const { manifests, others } = referencesIn(content);
    if (kind === "blob" && others.some((other) => isSame(other, digest))) return true;
    for (const child of manifests) if (await refersIn(child.digest, child.type, true)) return true;
    return false;
  }

  for await (const tag of reader.tags()) {
    if (!isImmutable(tag)) continue;
    const target = await reader.resolve(tag);
    if (target !== undefined && (await refersIn(target.digest, target.type, false))) return tag;
  }
  return undefined;
}

/** Two digests of different algorithms may have the same content: only the content could show it. */
function isSame(one: string, other: string): boolean {
  if (one.split(":", 1)[0] !== other.split(":", 1)[0]) throw unclear("digests of two algorithms cannot be compared");
  return one === other;
}

interface References {
  readonly manifests: { readonly digest: string; readonly type: string | undefined }[];
  readonly others: string[];
}

/** Every object with a digest is a reference, in every manifest format so far. */
function referencesIn(content: unknown): References {
  const found: References = { manifests: [], others: [] };
  if (!isRecord(content)) throw unclear("a manifest is malformed");
  const { subject: _, manifests, ...others } = content;
  if (manifests !== undefined) {
    if (!Array.isArray(manifests)) throw unclear("an index is malformed");
    for (const entry of manifests) {
      if (!isRecord(entry) || typeof entry.digest !== "string") throw unclear("an index is malformed");
      found.manifests.push({ digest: entry.digest, type: typeof entry.mediaType === "string" ? entry.mediaType : "" });
    }
  }
  const open: unknown[] = [others];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (!isRecord(part) && !Array.isArray(part)) continue;
    for (const [key, value] of Object.entries(part)) {
      if (typeof value !== "string") open.push(value);
      else if (key === "digest" || key === "blobSum") found.others.push(value);
    }
  }
  return found;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

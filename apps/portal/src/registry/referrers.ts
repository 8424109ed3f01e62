import { z } from "@registry-gate/auth-kit";
import { readJson } from "../read-json.ts";
import type { Reader } from "./reader.ts";

/** What refers to an artifact: a signature, an attestation, an SBOM. */
export interface Referrer {
  readonly digest: string;
  /** As its maker calls it, such as `application/vnd.example.sbom.v1`. */
  readonly artifactType: string;
  readonly bytes: number;
}

const index = z.object({
  manifests: z.array(
    z.object({
      digest: z.string(),
      mediaType: z.string().default(""),
      artifactType: z.string().optional(),
      size: z.number().default(0),
    }),
  ),
});
const mostShown = 100;

/**
 * The referrers of a digest (OCI distribution specification, "Listing Referrers"): by the registry's list, or by the
 * tag that clients keep where a registry has no such list.
 *
 * @throws {NotAllowedError} @throws {RegistryFaultError}
 */
export async function listReferrers(reader: Reader, repository: string, digest: string): Promise<readonly Referrer[]> {
  const found =
    (await reader.get(`${repository}/referrers/${digest}`)) ??
    (await reader.get(
      `${repository}/manifests/${digest.replace(":", "-")}`,
      "application/vnd.oci.image.index.v1+json",
    ));
  if (found === undefined) return [];
  return (readJson(index, found.body)?.manifests ?? [])
    .slice(0, mostShown)
    .map(({ digest, artifactType, mediaType, size }) => ({
      digest,
      artifactType: artifactType || mediaType,
      bytes: size,
    }));
}

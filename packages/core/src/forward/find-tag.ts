import { upstreamUnreachable } from "../answer/answers.ts";
import { upstreamTarget } from "../route/upstream-target.ts";
import type { Upstream } from "./upstream.ts";
import { UpstreamFault } from "./upstream-fault.ts";

/** Of a manifest whose type a registry is not told it may send, some registries say that it does not exist. */
const everyManifest = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
  "*/*",
].join(", ");

/**
 * Finds the first of the tags that the repository has.
 *
 * @throws {UpstreamFault} where the registry does not clearly say yes or no.
 */
export async function findTag(
  upstream: Upstream,
  repository: string,
  tags: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const tag of tags) {
    const target = upstreamTarget({ operation: "get-manifest", repository, reference: tag });
    const { status } = await upstream.query({ method: "HEAD", target, accept: everyManifest, maxBytes: 0 }, signal);
    if (status === 200) return tag;
    if (status !== 404)
      throw new UpstreamFault(upstreamUnreachable, `the registry answered ${status} when asked for a tag`);
  }
  return undefined;
}

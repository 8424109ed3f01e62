import type { TagLimit } from "../../authorize/tag-limit.ts";
import type { Upstream } from "../../forward/upstream.ts";
import type { ErrorResponse } from "../../respond/error-response.ts";
import * as responses from "../../respond/responses.ts";
import { type Route, repositoryOf } from "../../route/route.ts";
import type { UpstreamQuery } from "../query.ts";
import { findReferringTag } from "./find-referring-tag.ts";
import { repositoryReader } from "./repository-reader.ts";

/** Why a route must not be passed on. */
export interface TagViolation {
  /** For the record. */
  readonly reason: string;
  readonly response: ErrorResponse;
}

/**
 * Finds out, at the registry where need be, whether a route would change an immutable tag.
 *
 * @throws {UpstreamFault} where the registry does not clearly say yes or no.
 */
export async function findTagViolation(
  upstream: Upstream,
  route: Route,
  limit: TagLimit,
  asked: Pick<UpstreamQuery, "clientKey" | "urgent">,
  signal: AbortSignal,
): Promise<TagViolation | undefined> {
  if (limit.kind === "kept") return violation(limit.tag, responses.undeletable(limit.tag));
  const reader = repositoryReader(upstream, repositoryOf(route) ?? "", asked, signal);
  if (limit.kind === "only-new") {
    for (const tag of limit.tags) if (await reader.hasTag(tag)) return violation(tag, responses.immutable(tag));
    return undefined;
  }
  const kind = route.operation === "delete-blob" ? "blob" : "manifest";
  const tag = await findReferringTag(reader, limit.isImmutable, limit.digest, kind);
  return tag === undefined ? undefined : violation(tag, responses.referenced);
}

function violation(tag: string, response: ErrorResponse): TagViolation {
  return { reason: `the tag ${tag} is immutable`, response };
}

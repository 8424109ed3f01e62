import type { Logger } from "@registry-gate/auth";
import type { TagLimit } from "../../authorize/tag-limit.ts";
import { untilGone } from "../../client/until-gone.ts";
import { failRequest } from "../../forward/forward.ts";
import type { Upstream } from "../../forward/upstream.ts";
import type { RequestContext } from "../../observe/request-context.ts";
import { timeQuery } from "../../observe/request-times.ts";
import { endWithError } from "../../respond/end-with-error.ts";
import { type Route, repositoryOf } from "../../route/route.ts";
import type { TagTurns } from "./tag-turns.ts";
import { findTagViolation } from "./tag-violation.ts";

/**
 * Checks a tag again when the whole body has arrived: uploading it takes any time, and others may push the tag meanwhile.
 * From then on until the registry has responded, nobody else can push it through this process.
 *
 * @returns false where the request was aborted and the client got an error.
 */
export async function confirmTag(
  upstream: Upstream,
  turns: TagTurns,
  context: RequestContext,
  route: Route,
  limit: TagLimit,
  clientKey: string,
  log: Logger | undefined,
): Promise<boolean> {
  const { response } = context;
  try {
    if (limit.kind === "only-new") await turns.take(repositoryOf(route) ?? "", limit.tags, response);
    const asked = { clientKey, urgent: true };
    const violation = await timeQuery(
      context.times,
      findTagViolation(upstream, route, limit, asked, untilGone(response)),
    );
    if (violation === undefined) return true;
    context.transfer?.abort();
    endWithError(context, "denied", violation.reason, violation.response);
  } catch (error) {
    context.transfer?.abort();
    if (!response.destroyed) failRequest(context, error, log);
  }
  // The registry began its response before it had the whole body: it cannot be taken back.
  if (!response.writableEnded) response.destroy();
  return false;
}

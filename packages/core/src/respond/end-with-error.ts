import { limitReached } from "../observe/channels.ts";
import type { Decision } from "../observe/record.ts";
import type { RequestContext } from "../observe/request-context.ts";
import { type ErrorResponse, sendError } from "./error-response.ts";
import { tooManyInFlightOfClient } from "./responses.ts";

/** Ends a request with an error of the gate's own, and puts the decision and its reason into the record. */
export function endWithError(context: RequestContext, decision: Decision, reason: string, error: ErrorResponse): void {
  context.decision = decision;
  context.reason = reason;
  context.bytes.sent += sendError(context.request, context.response, error);
}

/** Ends a request whose client has as many in flight as one may have. */
export function endAtClientLimit(context: RequestContext): void {
  limitReached.publish(() => ({ limit: "inFlightPerClient" }));
  endWithError(context, "throttled", "too many requests in flight of one client", tooManyInFlightOfClient);
}

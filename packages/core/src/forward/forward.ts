import type { Logger } from "@registry-gate/auth";
import type { Outcome } from "../observe/record.ts";
import { enterPhase, noteContent, type RequestContext } from "../observe/request-context.ts";
import { claim } from "../respond/claim.ts";
import { endWithError } from "../respond/end-with-error.ts";
import { type ErrorResponse, sendError } from "../respond/error-response.ts";
import * as responses from "../respond/responses.ts";
import { clientSink } from "./client-sink.ts";
import { GuardedSink } from "./guard-sink.ts";
import { type HoldHandlers, holdResponse } from "./hold-response.ts";
import type { ResponseHead, ResponseSink, TransportFailure, UpstreamRequest } from "./transport.ts";
import { asError } from "./transport-errors.ts";
import type { Upstream } from "./upstream.ts";
import { reasonOf, UpstreamFault } from "./upstream-fault.ts";

/**
 * Sends a request to the registry and streams the response to the client. The outcome is set in the context.
 *
 * @param prepareHead Transforms the head of the registry's response for the client, or throws an {@link UpstreamFault}
 * where it is invalid, before anything is sent.
 * @param writeHead Writes the head of the response, as soon as some of its body or its end is here.
 * @param until What the client's response waits for. Where it rejects, the client gets a 503 instead.
 */
export function forward(
  upstream: Upstream,
  context: RequestContext,
  request: UpstreamRequest,
  prepareHead: (head: ResponseHead) => ResponseHead,
  writeHead: (head: ResponseHead) => void,
  log: Logger | undefined,
  until?: HoldHandlers["until"],
): void {
  let prepared: ResponseHead | undefined;
  const sink = clientSink(context, {
    head(head) {
      context.times.responded = performance.now();
      context.cache = head.cache;
      if (head.cache === "hit") context.times.sent = undefined;
      enterPhase(context, "respond");
      const made = prepareHead(head);
      // The request's body failed, and an error was sent.
      if (!claim(context.response)) return context.transfer?.abort();
      noteContent(context, made);
      prepared = made;
      if (head.statusCode >= 500) context.outcome = "upstream-error";
    },
    begin() {
      if (prepared !== undefined) writeHead(prepared);
    },
    failed(failure) {
      context.times.responded ??= performance.now();
      fail(context, failure, log);
    },
    resume: () => context.transfer?.resume(),
  });
  const guarded = new GuardedSink(sink, (error) => failRequest(context, error, log));
  enterPhase(context, "forward");
  const held = until === undefined ? guarded : holdUntil(until, guarded, context);
  context.times.sent = performance.now();
  context.transfer = upstream.send(request, held);
  guarded.started(context.transfer);
}

function holdUntil(until: HoldHandlers["until"], sink: ResponseSink, context: RequestContext): ResponseSink {
  return holdResponse(sink, {
    until,
    rejected(error) {
      context.transfer?.abort();
      endWithError(context, "unavailable", reasonOf(asError(error)), responses.notRecorded);
    },
    resume: () => context.transfer?.resume(),
    isGone: () => context.response.destroyed,
  });
}

/** Ends a request with the response for an error: a failure of the registry, or an internal error. */
export function failRequest(context: RequestContext, error: unknown, log: Logger | undefined): void {
  if (error instanceof UpstreamFault) failUpstream(context, error, log);
  else failInternally(context, error, log);
}

/** An internal error ends this request and its connection, and nothing else. */
export function failInternally(context: RequestContext, error: unknown, log: Logger | undefined): void {
  log?.error({ requestId: context.requestId, err: error }, "internal error");
  context.outcome = "internal-error";
  context.reason = "internal error";
  const { request, response } = context;
  const sent = sendError(request, response, responses.internalError);
  if (sent > 0) context.bytes.sent = sent;
  else if (response.headersSent) response.destroy();
}

/** The registry did not respond as expected. */
function failUpstream(context: RequestContext, fault: UpstreamFault, log: Logger | undefined): void {
  const { requestId } = context;
  // A rejected login is already logged.
  if (fault.response !== responses.registryLogin) {
    log?.warn({ requestId, err: fault }, "the registry did not respond as expected");
  }
  context.outcome = "upstream-error";
  context.reason = fault.message;
  context.bytes.sent += sendError(context.request, context.response, fault.response);
}

function fail(context: RequestContext, failure: TransportFailure, log: Logger | undefined): void {
  if (failure.kind === "internal") return void failInternally(context, failure.error, log);
  const { outcome, reason, response } = endOf(failure);
  const { requestId } = context;
  if (failure.kind === "silent") log?.warn({ requestId, err: failure.error }, "the registry does not respond");
  if (failure.kind === "unreachable") log?.warn({ requestId, err: failure.error }, "the registry is unreachable");
  if (failure.kind === "overloaded") context.decision = "unavailable";
  context.outcome = outcome;
  context.reason = reason;
  context.bytes.sent += sendError(context.request, context.response, response);
}

function endOf({ kind, error }: TransportFailure): {
  outcome: Outcome | undefined;
  reason: string;
  response: ErrorResponse;
} {
  switch (kind) {
    case "stalled":
      return {
        outcome: "timeout",
        reason: "the client stopped sending the body",
        response: responses.bodyStalled,
      };
    case "silent":
      return { outcome: "timeout", reason: reasonOf(error), response: responses.upstreamSilent };
    case "login":
      return { outcome: "upstream-error", reason: reasonOf(error), response: responses.registryLogin };
    case "overloaded":
      return { outcome: undefined, reason: reasonOf(error), response: responses.upstreamOverloaded };
    default:
      return { outcome: "upstream-error", reason: reasonOf(error), response: responses.upstreamUnreachable };
  }
}

import type { Logger } from "@registry-gate/auth";
import type { Outcome } from "../observe/record.ts";
import { enterPhase, noteContent, type RequestContext } from "../observe/request-context.ts";
import { claim } from "../respond/claim.ts";
import { endWithError } from "../respond/end-with-error.ts";
import { type ErrorResponse, sendError } from "../respond/error-response.ts";
import * as responses from "../respond/responses.ts";
import { ClientSink, type ClientSinkHandlers } from "./client-sink.ts";
import { GuardedSink, type SinkGuard } from "./guard-sink.ts";
import { type HoldHandlers, holdResponse } from "./hold-response.ts";
import type { ResponseHead, ResponseSink, TransportFailure, UpstreamRequest } from "./transport.ts";
import { asError } from "./transport-errors.ts";
import type { Upstream } from "./upstream.ts";
import { reasonOf, UpstreamFault } from "./upstream-fault.ts";

/** What is done with the registry's response. */
export interface ResponseHandlers {
  /**
   * Transforms the head of the registry's response for the client, or throws an {@link UpstreamFault} where it is invalid,
   * before anything is sent.
   */
  prepareHead(head: ResponseHead): ResponseHead;
  /** Writes the head of the response, as soon as some of its body or its end is here. */
  writeHead(head: ResponseHead): void;
  /** What the client's response waits for. Where it rejects, the client gets a 503 instead. */
  readonly until: HoldHandlers["until"] | undefined;
}

/** Sends a request to the registry and streams the response to the client. The outcome is set in the context. */
export function forward(
  upstream: Upstream,
  context: RequestContext,
  request: UpstreamRequest,
  handlers: ResponseHandlers,
  log: Logger | undefined,
): void {
  const forwarding = new Forwarding(context, handlers, log);
  const guarded = new GuardedSink(new ClientSink(context, forwarding), forwarding);
  enterPhase(context, "forward");
  const { until } = handlers;
  const held = until === undefined ? guarded : holdUntil(until, guarded, context);
  context.times.sent = performance.now();
  context.transfer = upstream.send(request, held);
  guarded.started(context.transfer);
}

/** One request on its way. A class, so that it allocates one object. */
class Forwarding implements ClientSinkHandlers, SinkGuard {
  readonly #context: RequestContext;
  readonly #handlers: ResponseHandlers;
  readonly #log: Logger | undefined;
  #prepared: ResponseHead | undefined;

  constructor(context: RequestContext, handlers: ResponseHandlers, log: Logger | undefined) {
    this.#context = context;
    this.#handlers = handlers;
    this.#log = log;
  }

  head(head: ResponseHead): void {
    const context = this.#context;
    context.times.responded = performance.now();
    context.cache = head.cache;
    if (head.cache === "hit") context.times.sent = undefined;
    enterPhase(context, "respond");
    const made = this.#handlers.prepareHead(head);
    // The request's body failed, and an error was sent.
    if (!claim(context.response)) return void context.transfer?.abort();
    noteContent(context, made);
    this.#prepared = made;
    if (head.statusCode >= 500) context.outcome = "upstream-error";
  }

  begin(): void {
    if (this.#prepared !== undefined) this.#handlers.writeHead(this.#prepared);
  }

  failed(failure: TransportFailure): void {
    this.#context.times.responded ??= performance.now();
    fail(this.#context, failure, this.#log);
  }

  resume(): void {
    this.#context.transfer?.resume();
  }

  threw(error: unknown): void {
    failRequest(this.#context, error, this.#log);
  }
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

import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { UpstreamRequest } from "../forward/transport.ts";
import { traceparent, tracestate } from "../grammar/trace-context.ts";
import type { Phase, RequestRecord } from "./record.ts";

/** The context of a trace as headers carry it (W3C Trace Context, section 3). */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** A request at its beginning. */
export interface TracedRequest {
  /** As in the response's `X-Request-Id`. */
  readonly requestId: string;
  readonly method: string;
  /** What the client sent; undefined where it sent none, or an invalid one. */
  readonly parent: TraceContext | undefined;
}

/** Follows requests through their steps, for distributed tracing. Its methods and those of its traces must not throw. */
export interface RequestTracer {
  /** Called when it is a request's turn. `undefined`: this request is not followed. */
  begin(request: TracedRequest): RequestTrace | undefined;
}

/** One request that is followed. */
export interface RequestTrace {
  /** Calls `handle` at once. What it starts, such as the backends' work, belongs to this request. */
  run(handle: () => void): void;
  /** A step begins. The one before it is over. */
  enter(phase: Phase): void;
  /** The context that the registry is sent in place of the client's; called in the step `forward`. */
  upstream(): TraceContext;
  /** The request is over. */
  end(record: RequestRecord): void;
}

/** What a client says of its trace; undefined where that is nothing, or invalid. */
export function traceContextOf(headers: IncomingHttpHeaders): TraceContext | undefined {
  const parent = headers.traceparent;
  if (typeof parent !== "string" || traceparent(parent) === undefined) return undefined;
  const state = typeof headers.tracestate === "string" ? tracestate(headers.tracestate) : undefined;
  return { traceparent: parent, ...(state !== undefined && { tracestate: state }) };
}

/** The headers of a request to the registry, with the context of its trace in place of the client's. */
export function continuing(trace: RequestTrace, headers: UpstreamRequest["headers"]): UpstreamRequest["headers"] {
  const { traceparent: parent, tracestate: state } = trace.upstream();
  const continued: OutgoingHttpHeaders = { ...headers, traceparent: parent };
  // The client's belongs to a trace that is not continued here.
  delete continued.tracestate;
  return state === undefined ? continued : { ...continued, tracestate: state };
}

import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Attributes,
  type Context,
  createTraceState,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import {
  type LoginJudged,
  loginJudged,
  type Phase,
  type RequestRecord,
  type RequestTrace,
  type RequestTracer,
  type TraceContext,
} from "@registry-gate/core";

/** The steps that have a span of their own. `validate` has the route as well, and `forward` the response. */
const steps: Readonly<Partial<Record<Phase, string>>> = {
  validate: "validate",
  authenticate: "authenticate",
  authorize: "authorize",
  forward: "forward",
};

/**
 * Makes spans of requests: one of each request, within it one of each step, and within `authenticate` one of each backend
 * that was asked. No span has a user's name or a secret.
 */
export function spanTracer(tracer: Tracer): RequestTracer & { close(): void } {
  const current = new AsyncLocalStorage<SpanTrace>();
  const judged = (login: LoginJudged): void => current.getStore()?.backend(login);
  const stop = loginJudged.subscribe(judged);
  return {
    begin({ requestId, method, parent }) {
      const attributes = { "http.request.method": method, "registry_gate.request_id": requestId };
      const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, contextOf(parent));
      return new SpanTrace(tracer, current, span);
    },
    close: stop,
  };
}

class SpanTrace implements RequestTrace {
  readonly #tracer: Tracer;
  readonly #current: AsyncLocalStorage<SpanTrace>;
  readonly #request: Span;
  #step: Span | undefined;

  constructor(tracer: Tracer, current: AsyncLocalStorage<SpanTrace>, request: Span) {
    this.#tracer = tracer;
    this.#current = current;
    this.#request = request;
    this.enter("validate");
  }

  run(handle: () => void): void {
    if (this.#request.isRecording()) this.#current.run(this, handle);
    else handle();
  }

  enter(phase: Phase): void {
    if (!this.#request.isRecording()) return;
    if (phase === "respond") return void this.#step?.addEvent("response begins");
    const name = steps[phase];
    if (name === undefined) return;
    this.#step?.end();
    const kind = phase === "forward" ? SpanKind.CLIENT : SpanKind.INTERNAL;
    this.#step = this.#tracer.startSpan(name, { kind }, within(this.#request));
  }

  backend({ backend, scheme, outcome, milliseconds }: LoginJudged): void {
    const span = this.#tracer.startSpan(
      `backend ${backend}`,
      {
        startTime: Date.now() - milliseconds,
        attributes: {
          "registry_gate.backend": backend,
          "registry_gate.scheme": scheme,
          "registry_gate.outcome": outcome,
        },
      },
      within(this.#step ?? this.#request),
    );
    if (outcome === "unavailable" || outcome === "failed") span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  }

  upstream(): TraceContext {
    const { traceId, spanId, traceFlags, traceState } = (this.#step ?? this.#request).spanContext();
    const state = traceState?.serialize() ?? "";
    return {
      traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`,
      ...(state !== "" && { tracestate: state }),
    };
  }

  end(record: RequestRecord): void {
    this.#step?.end();
    const span = this.#request;
    if (!span.isRecording()) return;
    span.updateName(record.operation ?? record.method);
    span.setAttributes(attributesOf(record));
    // Of a server's span, what the client did wrong is no error (OpenTelemetry, "HTTP spans").
    if (record.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR, message: record.reason });
    span.end();
  }
}

function within(span: Span): Context {
  return trace.setSpan(ROOT_CONTEXT, span);
}

function contextOf(parent: TraceContext | undefined): Context {
  const [, traceId = "", spanId = "", flags = ""] = parent?.traceparent.split("-") ?? [];
  if (parent === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
    ...(parent.tracestate !== undefined && { traceState: createTraceState(parent.tracestate) }),
  });
}

function attributesOf({ operation, repository, status, decision, outcome, backend }: RequestRecord): Attributes {
  return {
    "http.response.status_code": status,
    ...(operation !== undefined && { "registry_gate.operation": operation }),
    ...(repository !== undefined && { "registry_gate.repository": repository }),
    ...(backend !== undefined && { "registry_gate.backend": backend }),
    "registry_gate.decision": decision,
    "registry_gate.outcome": outcome,
  };
}

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Logger } from "@registry-gate/auth";
import type { Client } from "../client/client.ts";
import { isGone } from "../client/peer.ts";
import { hasBody } from "../forward/request-headers.ts";
import { limitReached, requestFinished } from "../observe/channels.ts";
import type { RequestRecord } from "../observe/record.ts";
import { finish, type RequestContext, requestContext } from "../observe/request-context.ts";
import { type RequestTrace, type RequestTracer, traceContextOf } from "../observe/tracing.ts";
import type { LimitOptions } from "../options/options.ts";
import { isClaimed } from "../respond/claim.ts";
import { sendError } from "../respond/error-response.ts";
import { bodyStalled } from "../respond/responses.ts";
import { addressKey } from "./client-key.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { rateWatch, type WatchedRequest } from "./rate-watch.ts";
import { type Full, requestBudget } from "./request-budget.ts";

export interface LifecycleOptions {
  readonly limits: LimitOptions;
  readonly onFinished: ((record: RequestRecord) => void) | undefined;
  readonly tracer: RequestTracer | undefined;
  readonly log: Logger | undefined;
  /** Whether nobody but the gate reads or writes the responses. */
  readonly standalone: boolean;
}

/** The start and end of requests: in turn, within the limits, and with a record. */
export interface RequestLifecycle {
  /**
   * Handles a request when it is its turn; never where its connection closes before that.
   *
   * @param full The limit that is reached, if any: the request must be refused.
   */
  begin(
    request: IncomingMessage,
    response: ServerResponse,
    client: () => Client,
    handle: (context: RequestContext, full: Full | undefined) => void,
  ): void;
  close(): void;
}

/** How many parsed requests may wait for the one before them on their connection. */
const maxWaiting = 10_000;

export function requestLifecycle({ limits, onFinished, tracer, log, standalone }: LifecycleOptions): RequestLifecycle {
  const { inFlight = 10_000, inFlightPerClient = 256, minRate = 1024 } = limits;
  const line = oneAtATime(maxWaiting);
  const budget = requestBudget(inFlight, inFlightPerClient);
  const rates = rateWatch(minRate);

  function report(context: RequestContext): void {
    if (onFinished === undefined && context.trace === undefined && !requestFinished.hasSubscribers) return;
    try {
      const record = finish(context);
      // Before the app's callback, whose error must not hide the record from other subscribers; a copy, because it is
      // frozen.
      requestFinished.publish(() => ({ ...record }));
      context.trace?.end(record);
      onFinished?.(record);
    } catch (error) {
      log?.error({ requestId: context.requestId, err: error }, "internal error");
    }
  }

  function traceOf({ request, requestId }: RequestContext): RequestTrace | undefined {
    return tracer?.begin({ requestId, method: request.method ?? "", parent: traceContextOf(request.headers) });
  }

  return {
    begin(request, response, client, handle) {
      // A request and the reset of its connection can arrive together.
      if (response.destroyed || isGone(request.socket)) return void request.socket.destroy();
      // Node's parser stops after a request with `Upgrade`, and drops what follows it.
      if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
      line.enter(request, response, () => {
        const context = requestContext(request, response, client(), standalone);
        const trace = traceOf(context);
        context.trace = trace;
        const place = budget.enter(addressKey(context.client.address));
        const full = typeof place === "string" ? place : undefined;
        if (typeof place !== "string") context.place = place;
        if (full === "all") limitReached.publish(() => ({ limit: "inFlight" }));
        const watching = rates.add(new RequestWatch(context));
        response.on("close", () => {
          rates.remove(watching);
          context.place?.leave();
          context.transfer?.abort();
          report(context);
        });
        if (isClaimed(response)) {
          // Its body turned out to be malformed while it waited.
          context.decision = "refused";
          context.reason = "the body is malformed";
        } else if (trace === undefined) {
          handle(context, full);
        } else {
          trace.run(() => handle(context, full));
        }
      });
    },
    close: () => rates.close(),
  };
}

/** The transfer of one request. */
class RequestWatch implements WatchedRequest {
  readonly #context: RequestContext;
  readonly #withBody: boolean;

  constructor(context: RequestContext) {
    this.#context = context;
    this.#withBody = hasBody(context.request);
  }

  get socket(): Socket {
    return this.#context.request.socket;
  }

  waitsForClient(): "download" | "upload" | undefined {
    const { request, response, transfer } = this.#context;
    if (response.writableNeedDrain || (response.writableEnded && !response.writableFinished)) return "download";
    return this.#withBody && transfer !== undefined && !request.complete && !request.isPaused() ? "upload" : undefined;
  }

  moved(direction: "download" | "upload"): number {
    const { bytes, response } = this.#context;
    return direction === "upload" ? bytes.received : bytes.sent - response.writableLength;
  }

  cut(direction: "download" | "upload"): void {
    const { request, response } = this.#context;
    limitReached.publish(() => ({ limit: "minRate" }));
    this.#context.outcome = "timeout";
    this.#context.reason = direction === "upload" ? "the client sends too slowly" : "the client reads too slowly";
    this.#context.transfer?.abort();
    if (direction === "upload" && sendError(request, response, bodyStalled) > 0) return;
    response.destroy();
  }
}

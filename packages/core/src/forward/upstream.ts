import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { createProxyMiddleware, type RequestHandler } from "http-proxy-middleware";
import { upstreamUnreachable } from "../answer/answers.ts";
import { endAnswer } from "../answer/end-answer.ts";
import type { UpstreamOptions } from "../options.ts";
import type { Exchange } from "./exchange.ts";
import { pump, releasePiece } from "./pump.ts";
import { forwardRead } from "./read/forward-read.ts";
import { readPool } from "./read/read-pool.ts";
import { type Question, readUpstream, type ShortAnswer } from "./read-upstream.ts";
import { SilentUpstreamError } from "./silent-upstream-error.ts";
import { idleTimeout, mostIdle, upstreamAgent } from "./upstream-agent.ts";
import { reasonOf, UpstreamFault } from "./upstream-fault.ts";

/** The connection to the registry. This file alone knows the proxy library. */
export interface Upstream {
  readonly url: URL;
  /** Streams the request to the registry and its answer back, and tells how it went by the exchange's functions. */
  forward(exchange: Exchange): void;
  /**
   * Asks the registry something on the gate's own behalf.
   *
   * @throws {UpstreamFault} when there is no answer. When `signal` aborts, whatever it was aborted with.
   */
  ask(question: Question, signal: AbortSignal): Promise<ShortAnswer>;
  close(): void;
}

/** The client owed more of the body, which the registry would have taken, for as long as it may. */
class StalledBodyError extends Error {
  override readonly name = "StalledBodyError";
}

interface Attempt {
  readonly exchange: Exchange;
  outgoing: ClientRequest | undefined;
  /** Whether it is already the second one, on a connection of its own. */
  repeated: boolean;
  settled: boolean;
}

export function openUpstream(options: UpstreamOptions): Upstream {
  const { readTimeout = 900_000, connectTimeout = 10_000, ca } = options;
  const url = new URL(options.url);
  const attempts = new WeakMap<IncomingMessage, Attempt>();
  const common = { secure: url.protocol === "https:", connectTimeout, ca };
  const agents = {
    kept: upstreamAgent({ ...common, keepAlive: true }),
    fresh: upstreamAgent({ ...common, keepAlive: false }),
  };
  // TLS to the registry is left to the library.
  const reads = common.secure
    ? undefined
    : readPool({
        host: url.hostname.replace(/^\[|\]$/g, ""),
        port: url.port === "" ? 80 : Number(url.port),
        connectTimeout,
        readTimeout,
        idleTimeout,
        mostIdle,
      });
  const kept = proxy(agents.kept);
  const fresh = proxy(agents.fresh);

  function proxy(agent: (typeof agents)["kept"]): RequestHandler {
    return createProxyMiddleware({
      target: url,
      agent,
      ejectPlugins: true,
      selfHandleResponse: true,
      plugins: [
        (server) => {
          server.on("proxyReq", onOutgoing);
          server.on("proxyRes", onAnswer);
          // The library calls `next` with a failure only where nobody listens here, and then throws beside it.
          server.on("error", onFailure);
          // The client has gone, so there is nobody to tell.
          server.on("econnreset", () => {});
        },
      ],
    });
  }

  function onOutgoing(outgoing: ClientRequest, request: IncomingMessage): void {
    const attempt = attempts.get(request);
    if (attempt === undefined) return;
    attempt.outgoing = outgoing;
    outgoing.setTimeout(readTimeout, () => {
      const owed = attempt.exchange.hasBody && !request.complete && !outgoing.writableNeedDrain;
      outgoing.destroy(
        owed ? new StalledBodyError(`silent for ${readTimeout} ms`) : new SilentUpstreamError(readTimeout),
      );
    });
    if (attempt.exchange.hasBody) releaseBody(outgoing, attempt.exchange);
  }

  function onAnswer(upstreamAnswer: IncomingMessage, request: IncomingMessage, response: ServerResponse): void {
    const attempt = attempts.get(request);
    if (attempt === undefined || attempt.settled) return;
    attempt.settled = true;
    const { answered, bytes } = attempt.exchange;
    answered(upstreamAnswer);
    const count = (length: number): void => {
      bytes.sent += length;
    };
    pump(upstreamAnswer, response, count, () => endAnswer(request, response));
  }

  function onFailure(error: Error, request?: IncomingMessage): void {
    const attempt = request === undefined ? undefined : attempts.get(request);
    if (attempt === undefined || attempt.settled) return;
    if (mayRepeat(attempt, error)) {
      attempt.repeated = true;
      void fresh(attempt.exchange.request, attempt.exchange.response);
      return;
    }
    attempt.settled = true;
    attempt.exchange.failed(kindOf(error), error);
  }

  return {
    url,
    forward(exchange) {
      const { request, response } = exchange;
      const { method } = request;
      if (reads !== undefined && !exchange.hasBody && (method === "GET" || method === "HEAD")) {
        forwardRead(reads, method, exchange);
        return;
      }
      request.url = exchange.target;
      request.headers = exchange.headers;
      attempts.set(request, { exchange, outgoing: undefined, repeated: false, settled: false });
      void kept(request, response);
    },
    async ask(question, signal) {
      try {
        return await readUpstream({ url, agent: agents.fresh, timeout: readTimeout }, question, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        throw new UpstreamFault(upstreamUnreachable, reasonOf(asError(error)), { cause: error });
      }
    },
    close() {
      reads?.close();
      agents.kept.destroy();
      agents.fresh.destroy();
    },
  };
}

/** The library pipes the body by itself: what it writes is counted and released on its way. */
function releaseBody(outgoing: ClientRequest, { bytes }: Exchange): void {
  const write = outgoing.write.bind(outgoing);
  Object.assign(outgoing, {
    write: (piece: Buffer): boolean => {
      bytes.received += piece.length;
      return write(piece, () => releasePiece(piece));
    },
  });
}

/**
 * The registry may have closed a kept connection just when we took it. Nothing was answered, and asking again changes
 * nothing, so a read is sent once more, on a connection of its own (RFC 9110, section 9.2.2).
 */
function mayRepeat({ exchange, outgoing, repeated }: Attempt, error: Error): boolean {
  const { method } = exchange.request;
  const isRead = method === "GET" || method === "HEAD";
  return (
    !repeated &&
    isRead &&
    !exchange.hasBody &&
    outgoing?.reusedSocket === true &&
    !(error instanceof SilentUpstreamError) &&
    !exchange.response.destroyed
  );
}

function kindOf(error: Error): "unreachable" | "silent" | "stalled" {
  if (error instanceof StalledBodyError) return "stalled";
  return error instanceof SilentUpstreamError ? "silent" : "unreachable";
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

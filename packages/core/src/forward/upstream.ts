import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { createProxyMiddleware, type RequestHandler } from "http-proxy-middleware";
import { upstreamUnreachable } from "../answer/answers.ts";
import type { UpstreamOptions } from "../options.ts";
import { pump, releasePiece } from "./pump.ts";
import { type Question, readUpstream, type ShortAnswer } from "./read-upstream.ts";
import { upstreamAgent } from "./upstream-agent.ts";
import { UpstreamFault } from "./upstream-fault.ts";

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

/** One request on its way through. Exactly one of `answered` and `failed` is called, unless the client goes first. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The target and headers for the registry; nothing else of the request's head is sent. */
  readonly target: string;
  readonly headers: OutgoingHttpHeaders & IncomingMessage["headers"];
  readonly hasBody: boolean;
  /** Must write the head of the response; the body follows by itself. */
  answered(upstreamAnswer: IncomingMessage): void;
  /** No answer came: `silent` where the registry was connected but said nothing for too long. */
  failed(kind: "unreachable" | "silent", error: Error): void;
  /** Counts of body bytes, kept up to date. */
  readonly bytes: { received: number; sent: number };
}

/** The registry was connected and then said nothing, and took nothing, for as long as it may. */
class SilentUpstreamError extends Error {
  override readonly name = "SilentUpstreamError";
}

interface Attempt {
  readonly exchange: Exchange;
  outgoing: ClientRequest | undefined;
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
          // Failures arrive through the middleware's callback; what comes here beside it has been dealt with there.
          server.on("error", () => {});
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
      outgoing.destroy(new SilentUpstreamError(`silent for ${readTimeout} ms`));
    });
    if (attempt.exchange.hasBody) releaseBody(outgoing, attempt.exchange);
  }

  function onAnswer(upstreamAnswer: IncomingMessage, request: IncomingMessage, response: ServerResponse): void {
    const attempt = attempts.get(request);
    if (attempt === undefined || attempt.settled) return;
    attempt.settled = true;
    const { answered, bytes } = attempt.exchange;
    answered(upstreamAnswer);
    pump(upstreamAnswer, response, (length) => {
      bytes.sent += length;
    });
  }

  function send(attempt: Attempt, through: RequestHandler): void {
    const { request, response } = attempt.exchange;
    void through(request, response, (error) => {
      if (attempt.settled) return;
      const { outgoing } = attempt;
      // The registry may have closed a kept connection just when we took it. Nothing was answered, and asking again
      // changes nothing, so ask once more on a connection of its own (RFC 9110, section 9.2.2).
      if (
        through === kept &&
        outgoing?.reusedSocket &&
        !attempt.exchange.hasBody &&
        isRead(request) &&
        !isSilence(error)
      ) {
        send(attempt, fresh);
        return;
      }
      attempt.settled = true;
      attempt.exchange.failed(isSilence(error) ? "silent" : "unreachable", asError(error));
    });
  }

  return {
    url,
    forward(exchange) {
      const { request } = exchange;
      request.url = exchange.target;
      request.headers = exchange.headers;
      const attempt: Attempt = { exchange, outgoing: undefined, settled: false };
      attempts.set(request, attempt);
      send(attempt, kept);
    },
    async ask(question, signal) {
      try {
        return await readUpstream({ url, agent: agents.fresh, timeout: readTimeout }, question, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        throw new UpstreamFault(upstreamUnreachable, asError(error).message, { cause: error });
      }
    },
    close() {
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

function isRead(request: IncomingMessage): boolean {
  return request.method === "GET" || request.method === "HEAD";
}

function isSilence(error: unknown): boolean {
  return error instanceof SilentUpstreamError;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

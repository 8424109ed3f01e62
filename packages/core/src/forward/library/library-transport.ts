import { type ClientRequest, type IncomingMessage, ServerResponse } from "node:http";
import { createProxyMiddleware, type RequestHandler } from "http-proxy-middleware";
import type { ConnectionLimit } from "../connection-limit.ts";
import { hostOf } from "../host.ts";
import { releaseChunk } from "../release-chunk.ts";
import type { Transport } from "../transport.ts";
import { asError, SilentUpstreamError, StalledBodyError } from "../transport-errors.ts";
import { LibraryRequest } from "./library-request.ts";
import { type UpstreamAgentOptions, upstreamAgent } from "./upstream-agent.ts";

export interface LibraryTransportOptions
  extends Omit<UpstreamAgentOptions, "keepAlive" | "secure" | "host" | "upstream"> {
  readonly url: URL;
  /** How long the registry may be silent, in milliseconds. */
  readonly readTimeout: number;
}

/** Sends any request by http-proxy-middleware. This file alone knows the library. */
export function libraryTransport(options: LibraryTransportOptions, limit: ConnectionLimit): Transport {
  const { url, readTimeout, ...agentOptions } = options;
  const secure = url.protocol === "https:";
  const host = hostOf(url);
  const common = { ...agentOptions, upstream: url.host, secure, host };
  const agents = {
    kept: upstreamAgent({ ...common, keepAlive: true }, limit),
    fresh: upstreamAgent({ ...common, keepAlive: false }, limit),
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
          server.on("proxyRes", onResponse);
          // The library calls `next` with a failure only where nobody listens here, and then throws beside it.
          server.on("error", onFailure);
          server.on("econnreset", onFailure);
        },
      ],
    });
  }

  function onOutgoing(outgoing: ClientRequest, request: IncomingMessage): void {
    if (!(request instanceof LibraryRequest)) return;
    request.outgoing = outgoing;
    if (request.over) return void outgoing.destroy();
    // Nobody asked for another protocol. Without a listener Node destroys the socket, and says so to nobody.
    outgoing.once("upgrade", (_, socket) => {
      socket.on("error", () => {});
      socket.destroy();
      onFailure(new Error("the registry switched protocols"), request);
    });
    outgoing.once("close", () => onFailure(new Error("the registry closed the connection"), request));
    const { body } = request;
    outgoing.setTimeout(readTimeout);
    outgoing.on("timeout", () => {
      // While the client takes nothing, the registry is not to blame.
      if (request.incoming?.isPaused() === true) return void outgoing.setTimeout(readTimeout);
      const owed = body?.isComplete() === false && !outgoing.writableNeedDrain;
      outgoing.destroy(owed ? new StalledBodyError(readTimeout) : new SilentUpstreamError(readTimeout));
    });
  }

  function onResponse(response: IncomingMessage, request: IncomingMessage): void {
    if (!(request instanceof LibraryRequest)) return;
    const { sink } = request;
    const { statusCode = 0, headers } = response;
    // The parser takes any three digits (RFC 9110, section 15, knows 100 to 599).
    if (statusCode < 200 || statusCode > 599) {
      failed(new Error(`the status ${statusCode} is not one of HTTP`), request);
      request.outgoing?.destroy();
      return;
    }
    request.incoming = response;
    response.on("data", (chunk: Buffer) => {
      const consumed = (): void => releaseChunk(chunk);
      if (!request.over && !sink.chunk(chunk, consumed)) response.pause();
    });
    response.once("end", () => {
      if (request.over) return;
      request.over = true;
      sink.end();
    });
    response.once("close", () => failed(new Error("the registry closed the connection"), request));
    sink.head({ statusCode, headers });
  }

  function onFailure(error: Error, request?: IncomingMessage): void {
    if (!(request instanceof LibraryRequest)) return;
    // The response has come whole, though perhaps the client has not taken all of it yet: what happens to the connection
    // now, such as a surplus that ends it, is no concern of this request.
    if (request.incoming?.complete !== true) failed(error, request);
  }

  function failed(error: Error, request: LibraryRequest): void {
    if (request.over) return;
    request.over = true;
    const { outgoing } = request;
    const kind = kindOf(error);
    const unheard = request.incoming === undefined && outgoing?.reusedSocket === true;
    request.sink.failed({ kind, error, stale: unheard && kind === "unreachable" });
  }

  return {
    send(request, sink, { fresh: isFresh = false } = {}) {
      const given = new LibraryRequest(request, sink);
      const response = new ServerResponse(given);
      (isFresh ? fresh : kept)(given, response).catch((error: unknown) => onFailure(asError(error), given));
      return {
        resume: () => given.incoming?.resume(),
        abort() {
          if (given.over) return;
          given.over = true;
          // The library's own way to learn that the client has gone.
          response.emit("close");
          given.outgoing?.destroy();
        },
      };
    },
    close() {
      agents.kept.destroy();
      agents.fresh.destroy();
    },
  };
}

function kindOf(error: Error): "unreachable" | "silent" | "stalled" {
  if (error instanceof StalledBodyError) return "stalled";
  return error instanceof SilentUpstreamError ? "silent" : "unreachable";
}

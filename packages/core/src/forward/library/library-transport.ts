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

/** Sends any request by http-proxy-middleware. Only this file uses the library. */
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
          // The library calls `next` with an error only where this event has no listener, and then throws as well.
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
    // An upgrade was not requested. Without a listener Node destroys the socket without an event.
    outgoing.once("upgrade", (_, socket) => {
      socket.on("error", () => {});
      socket.destroy();
      onFailure(new Error("the registry switched protocols"), request);
    });
    outgoing.once("close", () => onFailure(new Error("the registry closed the connection"), request));
    const { body } = request;
    outgoing.setTimeout(readTimeout);
    outgoing.on("timeout", () => {
      // While the client does not read, the registry is not silent.
      if (request.incoming?.isPaused() === true) return void outgoing.setTimeout(readTimeout);
      const owed = body?.isComplete() === false && !outgoing.writableNeedDrain;
      outgoing.destroy(owed ? new StalledBodyError(readTimeout) : new SilentUpstreamError(readTimeout));
    });
  }

  function onResponse(response: IncomingMessage, request: IncomingMessage): void {
    if (!(request instanceof LibraryRequest)) return;
    const { sink } = request;
    const { statusCode = 0, headers } = response;
    // Node's parser accepts any three digits (RFC 9110, section 15, defines 100 to 599).
    if (statusCode < 200 || statusCode > 599) {
      failed(new Error(`invalid status ${statusCode}`), request);
      request.outgoing?.destroy();
      return;
    }
    request.incoming = response;
    response.on("data", (chunk: Buffer) => {
      const consumed = (): void => releaseChunk(chunk);
      if (request.over || sink.chunk(chunk, consumed)) return;
      response.pause();
      // By itself Node would read two chunks more.
      if (!response.complete) response.socket.pause();
    });
    response.once("end", () => {
      if (request.over) return;
      request.end();
      sink.end();
    });
    response.once("close", () => failed(new Error("the registry closed the connection"), request));
    sink.head({ statusCode, headers });
  }

  function onFailure(error: Error, request?: IncomingMessage): void {
    if (!(request instanceof LibraryRequest)) return;
    // The response is complete, though the client may still be reading it: later events of the connection, such as
    // surplus bytes, do not concern this request.
    if (request.incoming?.complete !== true) failed(error, request);
  }

  function failed(error: Error, request: LibraryRequest): void {
    if (request.over) return;
    request.end();
    const { outgoing } = request;
    const kind = kindOf(error);
    const unheard = request.incoming === undefined && outgoing?.reusedSocket === true;
    request.sink.failed({ kind, error, stale: unheard && kind === "unreachable" });
  }

  return {
    send(request, sink, { fresh: isFresh = false } = {}) {
      const given = new LibraryRequest(request, sink);
      const response = new ServerResponse(given);
      // Pending input on idle connections is read first: only a silent, open one is reused.
      setImmediate(() => {
        if (given.over) return;
        (isFresh ? fresh : kept)(given, response).catch((error: unknown) => onFailure(asError(error), given));
      });
      return {
        resume() {
          const { incoming } = given;
          incoming?.resume();
          // The connection of a complete response may be another request's.
          if (incoming?.complete === false) incoming.socket.resume();
        },
        abort() {
          if (given.over) return;
          given.end();
          // Signals to the library that the client has disconnected.
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

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "@registry-gate/auth";
import {
  type Authenticator,
  clientReader,
  type Policy,
  requestIdOf,
  type TokenEndpoint,
  tokenGate,
} from "@registry-gate/core";
import { fail, unavailable } from "./endpoint/respond.ts";

/** What {@link tokenHandler} is told. */
export interface TokenHandlerOptions {
  readonly endpoint: TokenEndpoint;
  readonly authenticator: Authenticator;
  /** The rules that cut what is asked for: `compilePolicy` of `@registry-gate/core` makes it of access rules. */
  readonly policy: Policy;
  /** Peers whose `X-Forwarded-*` are believed. Default: nobody's. */
  readonly trustedProxies?: readonly string[];
  readonly log?: Logger;
}

/**
 * Makes a handler of a token endpoint for express, and for any server that calls a handler with a request and a response. For
 * a gate as a token server alone: in front of a registry, `registryProxy` serves the endpoint by itself.
 *
 * Mount it before anything that reads bodies.
 *
 * @throws {SyntaxError} for an entry of `trustedProxies` that is no address, CIDR block or `unix:`.
 */
export function tokenHandler(
  options: TokenHandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { endpoint, authenticator, policy, trustedProxies = [], log } = options;
  const clientOf = clientReader(trustedProxies);

  async function respond(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const client = clientOf(request);
    const { method = "", url = "", headers } = request;
    const at = url.indexOf("?");
    const made = await endpoint.respond(
      {
        method,
        query: at === -1 ? "" : url.slice(at + 1),
        contentType: headers["content-type"],
        body: request.iterator({ destroyOnReturn: false }),
      },
      tokenGate(authenticator, policy, request, client, requestIdOf(response), signal),
    );
    // What is left of a body that nobody reads would be taken for the next request.
    if (!request.complete) response.setHeader("Connection", "close");
    response.writeHead(made.status, { ...made.headers, "Content-Length": Buffer.byteLength(made.body) });
    response.end(made.body);
  }

  return (request, response) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    respond(request, response, gone.signal).catch((error: unknown) => {
      if (response.destroyed || gone.signal.aborted) return;
      const requestId = requestIdOf(response);
      log?.error({ requestId, err: error }, "a request for a token failed");
      const { status, headers, body } = fail(unavailable(""), requestId);
      if (!response.headersSent) response.writeHead(status, headers);
      response.end(body);
    });
  };
}

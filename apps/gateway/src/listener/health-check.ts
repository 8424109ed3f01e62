import type { IncomingMessage, ServerResponse } from "node:http";
import { requestIdOf, sendError } from "@registry-gate/core";

const allowed = ["GET", "HEAD", "OPTIONS"];

/**
 * Responds to the health check of a load balancer: 200 without a login, or 503 where the gate accepts no new requests. It is
 * no request of a user's: it needs no `Host`, is not limited, and is not in the log of requests.
 *
 * @param path That of health checks, whatever query follows; `undefined` where there are none.
 * @returns the status, or `undefined` where the request is no health check; then it is left alone.
 */
export function respondToHealthCheck(
  path: string | undefined,
  ready: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): number | undefined {
  const { url = "", method = "", headers } = request;
  if (path === undefined || url.replace(/\?.*/s, "") !== path) return undefined;
  if (!allowed.includes(method)) {
    const message = "a health check must use GET, HEAD or OPTIONS";
    sendError(request, response, { status: 405, code: "UNSUPPORTED", message, headers: { Allow: allowed.join(", ") } });
    return 405;
  }
  if (!ready) {
    const message = "the gate accepts no new requests";
    sendError(request, response, { status: 503, code: "UNAVAILABLE", message, headers: { Connection: "close" } });
    return 503;
  }
  const body = "ok\n";
  requestIdOf(response);
  response.writeHead(200, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": body.length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    ...(method === "OPTIONS" && { Allow: allowed.join(", ") }),
    // Nobody reads a body that comes with it.
    ...((headers["content-length"] ?? headers["transfer-encoding"]) !== undefined && { Connection: "close" }),
  });
  response.end(body);
  return 200;
}

import type { IncomingMessage, ServerResponse } from "node:http";
import { holdsBodyBack } from "../validate/expectation.ts";

/** How long the rest of an unwanted body is read and dropped, in milliseconds. */
export const lingering = 10_000;

/**
 * Ends a response, possibly before the whole request body has arrived. The rest of the body is read and dropped for a
 * while before the connection is closed: otherwise a client that is still sending could not read the response.
 *
 * A connection that closes after the response ends only when the body does: an earlier close would reset it.
 *
 * @param rest The part of the body that is not written yet.
 */
export function endResponse(request: IncomingMessage, response: ServerResponse, rest?: string | Buffer): void {
  if (request.complete || request.destroyed || staysOpen(response) || holdsBodyBack(request)) {
    response.end(rest);
    // A request without a body, for which Node makes no stream, is closed before it is complete, and says nothing more.
    if (!request.complete && !request.destroyed) dropBody(request, () => {});
    return;
  }
  if (rest === undefined) response.flushHeaders();
  else response.write(rest);
  dropBody(request, () => response.end());
}

/** Node reads `Connection: close` only when it writes the head. */
function staysOpen(response: ServerResponse): boolean {
  const connection = String(response.getHeader("Connection") ?? "");
  return response.shouldKeepAlive && !/\bclose\b/i.test(connection);
}

function dropBody(request: IncomingMessage, over: () => void): void {
  const timer = setTimeout(() => request.socket.destroy(), lingering);
  timer.unref();
  request.once("close", () => {
    clearTimeout(timer);
    over();
  });
  request.resume();
}

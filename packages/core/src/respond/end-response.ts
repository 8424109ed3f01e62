import type { IncomingMessage, ServerResponse } from "node:http";
import { holdsBodyBack } from "../validate/expectation.ts";

/** How long the rest of a body that nobody wants is read and dropped, in milliseconds. */
export const lingering = 10_000;

/**
 * Ends a response, perhaps before the request's body has come whole. What is still to come is dropped for a while, and
 * then the connection: a client that sends it could not see the response otherwise.
 *
 * Where the connection is to be closed after the response, it is ended only when the body is over: closing under a client
 * that is still sending would reset the connection before the response was read.
 *
 * @param rest What has not been written yet.
 */
export function endResponse(request: IncomingMessage, response: ServerResponse, rest?: string): void {
  if (request.complete || request.destroyed || staysOpen(response) || holdsBodyBack(request)) {
    response.end(rest);
    if (!request.complete) dropBody(request, () => {});
    return;
  }
  if (rest === undefined) response.flushHeaders();
  else response.write(rest);
  dropBody(request, () => response.end());
}

/** Node takes note of `Connection: close` only when the head is written. */
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

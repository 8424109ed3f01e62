import type { Server as HttpServer, IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";

const waiting = new WeakSet<IncomingMessage>();
const served = new WeakSet<object>();

/** The only supported expectation (RFC 9110, section 10.1.1). */
const known = "100-continue";

/**
 * Lets the gate handle `Expect: 100-continue` (RFC 9110, section 10.1.1), so that it refuses an upload before the
 * client sends the body. Without it, Node sends `100 Continue` before the request is authorized.
 *
 * Requests with any other expectation come to the handler too, and the gate refuses them with 417.
 *
 * @param handler The request listener of the server.
 */
export function serveExpectations(server: HttpServer | HttpsServer, handler: RequestListener): void {
  served.add(server);
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request);
    handler(request, response);
  });
  server.on("checkExpectation", handler);
}

/** Whether {@link serveExpectations} was called for the server. */
export function servesExpectations(server: object): boolean {
  return served.has(server);
}

/** Whether the request has an unsupported expectation. Node accepts `100-continue` as an element of a list too. */
export function expectsUnknown(request: IncomingMessage): boolean {
  const { expect } = request.headers;
  return expect !== undefined && expect.toLowerCase() !== known;
}

/** Sends `100 Continue` to a client that waits for it. */
export function askForBody(request: IncomingMessage, response: ServerResponse): void {
  // Behind a final response it would be taken for the next one, and Node throws: the body was refused in the meantime.
  if (waiting.delete(request) && !response.headersSent) response.writeContinue();
}

/** Whether the client waits for `100 Continue` before it sends the body. */
export function holdsBodyBack(request: IncomingMessage): boolean {
  return waiting.has(request);
}

import type { Server as HttpServer, IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";

const waiting = new WeakSet<IncomingMessage>();
const served = new WeakSet<object>();

/** What a request may expect (RFC 9110, section 10.1.1). */
const known = "100-continue";

/**
 * Lets the gate itself response `Expect: 100-continue` (RFC 9110, section 10.1.1): a refused upload is then refused before
 * a byte of its body is sent. Without it, Node tells the client to go on before anybody has looked at the request.
 *
 * A request that expects anything else comes to the handler too, and the gate refuses it with 417.
 *
 * @param handler What the server calls for every other request.
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

/** Whether the request expects something that the gate does not know; Node knows it as soon as it stands in a list. */
export function expectsUnknown(request: IncomingMessage): boolean {
  const { expect } = request.headers;
  return expect !== undefined && expect.toLowerCase() !== known;
}

/** Tells a client that waits for it to send the body. */
export function askForBody(request: IncomingMessage, response: ServerResponse): void {
  if (waiting.delete(request)) response.writeContinue();
}

/** Whether the client holds back the body until it is asked for. */
export function holdsBodyBack(request: IncomingMessage): boolean {
  return waiting.has(request);
}

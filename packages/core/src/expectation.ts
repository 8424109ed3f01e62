import type { Server as HttpServer, IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";

const waiting = new WeakSet<IncomingMessage>();

/**
 * Lets the gate itself answer `Expect: 100-continue` (RFC 9110, section 10.1.1): a refused upload is then refused before
 * a byte of its body is sent. Without it, Node tells the client to go on before anybody has looked at the request.
 *
 * @param handler What the server calls for every other request.
 */
export function serveExpectations(server: HttpServer | HttpsServer, handler: RequestListener): void {
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request);
    handler(request, response);
  });
}

/** Tells a client that waits for it to send the body. */
export function askForBody(request: IncomingMessage, response: ServerResponse): void {
  if (waiting.delete(request)) response.writeContinue();
}

/** Whether the client holds back the body until it is asked for. */
export function holdsBodyBack(request: IncomingMessage): boolean {
  return waiting.has(request);
}

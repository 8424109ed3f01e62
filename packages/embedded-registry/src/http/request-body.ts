import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Gives the body of a request in chunks, to be read once. A client that said `Expect: 100-continue` is told to go on when
 * the reading begins and not before, so that a refusal can spare it the upload (RFC 9110, section 10.1.1); a connection
 * whose client was refused so is closed after the answer, because nobody knows whether the body still comes.
 */
export function requestBody(request: IncomingMessage, response: ServerResponse): () => AsyncGenerator<Uint8Array> {
  const waiting = request.headers.expect?.toLowerCase() === "100-continue";
  const keepAlive = response.shouldKeepAlive;
  if (waiting) response.shouldKeepAlive = false;
  return async function* read() {
    if (waiting) {
      response.shouldKeepAlive = keepAlive;
      response.writeContinue();
    }
    // Left to itself the iterator destroys the request, and with it the connection on which a refusal is to be sent.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      if (chunk instanceof Uint8Array) yield chunk;
    }
  };
}

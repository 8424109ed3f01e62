import { createServer, type Server as HttpServer, type RequestListener } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import { plainAddress } from "@registry-gate/auth-kit";
import {
  refuseUnreadable,
  requestIdOf,
  sendError,
  serveExpectations,
  type UnreadableRequest,
} from "@registry-gate/core";

/** A request that came without TLS to a port for TLS. */
export interface PlainRequest {
  /** As in the response's `X-Request-Id`. */
  readonly requestId: string;
  /** The peer's address; `undefined` on a Unix socket. */
  readonly client: string | undefined;
  readonly method: string;
}

export interface PlainHttpHandlers {
  /** Called for each request. */
  readonly plain: (request: PlainRequest) => void;
  /** Called for each connection that sends neither TLS nor HTTP. */
  readonly unreadable: (request: UnreadableRequest) => void;
  /** Is given each connection that begins without TLS, before anything is read from it. */
  readonly diverted: (socket: Socket) => void;
}

/** It is the last that docker says of a pull without a login from a registry on the loopback interface. */
const message =
  "this port speaks HTTPS, and the request came as plain HTTP; clients try that where a login is missing or they do not " +
  "trust the certificate";
/** How long a client may stay silent, and how long one without TLS is heard in all, in milliseconds. */
const timeLimit = 10_000;

/**
 * Refuses plain HTTP on a server for TLS in words. Clients fall back to it where they do not trust a certificate, or where
 * somebody wrote `http://`; without words they say no more than `EOF`.
 *
 * The first byte tells the two apart: a record of TLS begins with its type, which is a control character (RFC 8446,
 * section 5.1), and a request with the first letter of its method. What has been read by then is put back, and from there
 * on TLS reads by itself.
 */
export function refusePlainHttp(server: HttpsServer, { plain, unreadable, diverted }: PlainHttpHandlers): void {
  const plainServer = refusingServer(plain, unreadable);
  const beginTls = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    // Until somebody else owns it.
    socket.on("error", () => socket.destroy());
    const limit = setTimeout(() => socket.destroy(), timeLimit).unref();
    socket.once("close", () => clearTimeout(limit));
    const look = (): void => {
      const chunk: Buffer | null = socket.read();
      // At its end there is nothing to read.
      if (chunk === null) return;
      socket.removeListener("readable", look);
      socket.unshift(chunk);
      if (isLetter(chunk[0])) {
        diverted(socket);
        plainServer.emit("connection", socket);
      } else {
        clearTimeout(limit);
        for (const begin of beginTls) begin.call(server, socket);
      }
    };
    socket.on("readable", look);
  });
}

function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && /[A-Za-z]/.test(String.fromCharCode(byte));
}

/** A server that never listens. */
function refusingServer(
  plain: (request: PlainRequest) => void,
  unreadable: (request: UnreadableRequest) => void,
): HttpServer {
  const refuse: RequestListener = (request, response) => {
    const { remoteAddress } = request.socket;
    plain({
      requestId: requestIdOf(response),
      client: remoteAddress === undefined ? undefined : plainAddress(remoteAddress),
      method: request.method ?? "",
    });
    sendError(request, response, { status: 400, code: "UNSUPPORTED", message, headers: { Connection: "close" } });
  };
  const server = createServer({ requireHostHeader: false }, refuse);
  serveExpectations(server, refuse);
  refuseUnreadable(server, unreadable);
  return server;
}

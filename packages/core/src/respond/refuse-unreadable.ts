import { type Server as HttpServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Duplex } from "node:stream";
import { plainAddress } from "@registry-gate/auth-kit";
import { lingering } from "./end-response.ts";
import { type ErrorResponse, errorBody, errorHeaders, sendError } from "./error-response.ts";
import { newRequestId, requestIdHeader } from "./request-id.ts";
import * as responses from "./responses.ts";

/** A connection whose input could not be parsed as a request. */
export interface UnreadableRequest {
  /** As in the response's `X-Request-Id`. */
  readonly requestId: string;
  /** The peer's address; `undefined` on a Unix socket. */
  readonly client: string | undefined;
  /** The status of the response; 499 where the connection was closed without one. */
  readonly status: number;
  /** The code of the parser's error, such as `HPE_HEADER_OVERFLOW`, or `CONNECT`. */
  readonly reason: string;
}

/** The code of Node's error for a timeout of the head. */
const timedOut = "ERR_HTTP_REQUEST_TIMEOUT";

/** The code of the parser's error where the client ended its side of the connection within a request. */
const endedEarly = "HPE_INVALID_EOF_STATE";

/** A request that was parsed on a connection. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Responds to requests that Node refuses before any handler sees them, in the format of every other error: a malformed,
 * too long or too slow head (400, 431, 408), an invalid chunked body (400, 413), and CONNECT (405). Without it, Node
 * responds with an empty body or not at all.
 *
 * This file owns every socket that Node emits without listeners: an unhandled error event would end the process.
 *
 * @param onRefused Called for each of them that no handler has seen.
 */
export function refuseUnreadable(
  server: HttpServer | HttpsServer,
  onRefused?: (request: UnreadableRequest) => void,
): void {
  /** The unfinished requests of each connection in order, and the latest one. */
  const exchanges = new WeakMap<Duplex, Exchange[]>();
  const remember = (request: IncomingMessage, response: ServerResponse): void => {
    const known = exchanges.get(request.socket);
    if (known === undefined) return void exchanges.set(request.socket, [{ request, response }]);
    known.push({ request, response });
    for (let first = known[0]; first?.response.writableFinished === true; first = known[0]) known.shift();
  };
  const latestOf = (socket: Duplex): Exchange | undefined => exchanges.get(socket)?.at(-1);
  // Runs before the handlers, which may respond at once.
  server.prependListener("request", remember);
  server.prependListener("checkContinue", remember);
  server.prependListener("checkExpectation", remember);

  function refuseAlone(socket: Duplex, reason: string, response: ErrorResponse): void {
    const requestId = newRequestId();
    const status = sendAlone(socket, response, requestId);
    onRefused?.({ requestId, client: clientOf(socket), status, reason });
  }

  function refuse(socket: Duplex, reason: string, response: ErrorResponse): void {
    const before = latestOf(socket);
    if (before?.response.writableFinished === true && !before.request.complete) {
      // The rest of a body whose request was responded to already: a second response would be taken for the next one's.
      endLingering(socket, "");
    } else if (before === undefined || before.response.writableFinished) {
      refuseAlone(socket, reason, response);
    } else if (!before.request.complete) {
      // The body of this request is malformed.
      const sent = sendError(before.request, before.response, { ...response, headers: { Connection: "close" } });
      if (sent === 0) return void socket.destroy();
      before.response.once("finish", () => before.request.destroy());
      // There is no rest of the body that would have to be read before the end.
      if (reason === endedEarly) before.response.end();
    } else {
      // A later pipelined request: it is refused in its turn.
      before.response.once("close", () => refuseAlone(socket, reason, response));
    }
  }

  /**
   * Handles a head that timed out while the request before it was in progress: it may be unread on purpose. Its timeout
   * starts again when the connection is read again.
   *
   * @returns whether that is the case.
   */
  function isUnread(socket: Duplex, code: string): boolean {
    const before = latestOf(socket);
    if (code !== timedOut || before === undefined || before.response.writableFinished || before.response.destroyed) {
      return false;
    }
    before.response.once("close", () => {
      const timer = setTimeout(() => {
        if (latestOf(socket) === before && own(socket)) refuse(socket, code, responses.unreadable(code));
      }, server.headersTimeout);
      timer.unref();
      socket.once("close", () => clearTimeout(timer));
    });
    return true;
  }

  server.on("clientError", (error: Error & { code?: string }, socket: Duplex) => {
    if (error.code !== undefined && isUnread(socket, error.code)) return;
    // Node reports it again for each further chunk.
    if (!own(socket)) return;
    const { code = error.name } = error;
    // The connection itself failed: nobody receives a response.
    if (code === "ECONNRESET" || code === "EPIPE" || !socket.writable) socket.destroy();
    else refuse(socket, code, responses.unreadable(code));
  });
  server.on("connect", (request: IncomingMessage, socket: Duplex) => {
    own(socket);
    // CONNECT may come with a wrapped socket, while the request before it had the connection's own.
    const before = latestOf(request.socket);
    if (before !== undefined && !before.response.writableFinished && !before.response.destroyed) {
      // Node no longer reports it to the response in progress.
      socket.on("drain", () => {
        const sending = exchanges.get(request.socket)?.find(({ response }) => !response.writableFinished);
        sending?.response.emit("drain");
      });
      before.response.once("close", () => refuseAlone(socket, "CONNECT", responses.noTunnel));
    } else {
      refuseAlone(socket, "CONNECT", responses.noTunnel);
    }
  });
}

const owned = new WeakSet<Duplex>();

/**
 * Takes over a socket without listeners, before anything else is done with it. It is paused: further input is ignored.
 *
 * @returns false where that happened before.
 */
function own(socket: Duplex): boolean {
  if (owned.has(socket)) return false;
  owned.add(socket);
  socket.on("error", () => socket.destroy());
  socket.pause();
  return true;
}

/** Sends a response without a request, and ends the connection. */
function sendAlone(socket: Duplex, error: ErrorResponse, requestId: string): number {
  if (!socket.writable) {
    socket.destroy();
    return 499;
  }
  const body = errorBody(error, requestId);
  const headers = { ...errorHeaders(error, body), [requestIdHeader]: requestId };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const statusLine = `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n`;
  endLingering(
    socket,
    `${statusLine}${head.join("")}Connection: close\r\nDate: ${new Date().toUTCString()}\r\n\r\n${body}`,
  );
  return error.status;
}

/**
 * Ends a connection. Further input is dropped for a while: closing at once would reset the connection before the client
 * reads the response.
 */
function endLingering(socket: Duplex, last: string): void {
  socket.end(last);
  const timer = setTimeout(() => socket.destroy(), lingering);
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
  socket.resume();
}

function clientOf(socket: Duplex): string | undefined {
  return "remoteAddress" in socket && typeof socket.remoteAddress === "string"
    ? plainAddress(socket.remoteAddress)
    : undefined;
}

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

/** The requests that were parsed on a connection. */
interface Requests {
  /** How many there were so far. */
  count: number;
  /**
   * Their responses in order, but none that is finished and whose request is complete: a connection that waits for its
   * next request holds nothing of the last one.
   */
  readonly responses: ServerResponse[];
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
  const requests = new WeakMap<Duplex, Requests>();
  const remember = (request: IncomingMessage, response: ServerResponse): void => {
    const known = requests.get(request.socket);
    if (known === undefined) {
      requests.set(request.socket, { count: 1, responses: [response] });
    } else {
      known.count++;
      // Responses are sent in order: one before this that is finished is of a request whose body has been dropped.
      while (known.responses[0]?.writableFinished === true) known.responses.shift();
      known.responses.push(response);
    }
    response.on("close", forget);
  };
  function forget(this: ServerResponse): void {
    if (!this.writableFinished || !this.req.complete) return;
    const known = requests.get(this.req.socket);
    if (known?.responses[0] === this) known.responses.shift();
  }
  const latestOf = (socket: Duplex): ServerResponse | undefined => requests.get(socket)?.responses.at(-1);
  const countOf = (socket: Duplex): number => requests.get(socket)?.count ?? 0;
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
    if (before?.writableFinished === true && !before.req.complete) {
      // The rest of a body whose request was responded to already: a second response would be taken for the next one's.
      endLingering(socket, "");
    } else if (before === undefined || before.writableFinished) {
      refuseAlone(socket, reason, response);
    } else if (!before.req.complete) {
      // The body of this request is malformed.
      const sent = sendError(before.req, before, { ...response, headers: { Connection: "close" } });
      if (sent === 0) return void socket.destroy();
      before.once("finish", () => before.req.destroy());
      // There is no rest of the body that would have to be read before the end.
      if (reason === endedEarly) before.end();
    } else {
      // A later pipelined request: it is refused in its turn.
      before.once("close", () => refuseAlone(socket, reason, response));
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
    if (code !== timedOut || before === undefined || before.writableFinished || before.destroyed) {
      return false;
    }
    const count = countOf(socket);
    before.once("close", () => {
      const timer = setTimeout(() => {
        if (countOf(socket) === count && own(socket)) refuse(socket, code, responses.unreadable(code));
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
    if (before !== undefined && !before.writableFinished && !before.destroyed) {
      // Node no longer reports it to the response in progress.
      socket.on("drain", () => {
        const sending = requests.get(request.socket)?.responses.find((response) => !response.writableFinished);
        sending?.emit("drain");
      });
      before.once("close", () => refuseAlone(socket, "CONNECT", responses.noTunnel));
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

import { type Server as HttpServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Duplex } from "node:stream";
import { plainAddress } from "../peer.ts";
import * as answers from "./answers.ts";
import { lingering } from "./end-answer.ts";
import { type ErrorAnswer, errorBody, errorHeaders, sendError } from "./error-answer.ts";

/** A connection that said something from which no request could be read. */
export interface UnreadableRequest {
  /** The peer's address; `undefined` on a Unix socket. */
  readonly client: string | undefined;
  /** The status that was sent; 499 where the connection was given up without an answer. */
  readonly status: number;
  /** The code of the parser's error, such as `HPE_HEADER_OVERFLOW`, or `CONNECT`. */
  readonly reason: string;
}

/** The last request that was read from a connection. */
interface Latest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Answers what Node refuses before any handler sees it in the format of every other error: a head that is malformed, too
 * long or too slow (400, 431, 408), a body in chunks that are none (400, 413), and CONNECT (405). Without it, Node
 * answers with an empty body or not at all.
 *
 * @param told Is called for each of them that no handler has seen.
 */
export function refuseUnreadable(server: HttpServer | HttpsServer, told?: (request: UnreadableRequest) => void): void {
  const latest = new WeakMap<Duplex, Latest>();
  const remember = (request: IncomingMessage, response: ServerResponse): void => {
    latest.set(request.socket, { request, response });
  };
  // Before the handlers, which may answer at once.
  server.prependListener("request", remember);
  server.prependListener("checkContinue", remember);
  server.prependListener("checkExpectation", remember);

  function refuse(socket: Duplex, reason: string, answer: ErrorAnswer): void {
    const before = latest.get(socket);
    if (before === undefined || before.response.writableFinished) {
      told?.({ client: clientOf(socket), status: sendAlone(socket, answer), reason });
    } else if (!before.request.complete) {
      // It is this request's body that cannot be read.
      if (before.response.headersSent) return void socket.destroy();
      sendError(before.request, before.response, { ...answer, headers: { Connection: "close" } });
      before.response.once("finish", () => before.request.destroy());
    } else {
      // Of requests sent in a row this is a later one: it is answered in its turn.
      before.response.once("close", () => {
        told?.({ client: clientOf(socket), status: sendAlone(socket, answer), reason });
      });
    }
  }

  server.on("clientError", (error: Error & { code?: string }, socket: Duplex) => {
    const { code = error.name } = error;
    // The connection itself has failed, so there is nobody to tell.
    if (code === "ECONNRESET" || code === "EPIPE" || !socket.writable) socket.destroy();
    else refuse(socket, code, answers.unreadable(code));
  });
  server.on("connect", (_: IncomingMessage, socket: Duplex) => refuse(socket, "CONNECT", answers.noTunnel));
}

/** Sends an answer to no request, and ends the connection. */
function sendAlone(socket: Duplex, answer: ErrorAnswer): number {
  if (!socket.writable) {
    socket.destroy();
    return 499;
  }
  const body = errorBody(answer);
  const head = Object.entries(errorHeaders(answer, body)).map(([name, value]) => `${name}: ${value}\r\n`);
  const statusLine = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n`;
  socket.end(`${statusLine}${head.join("")}Connection: close\r\nDate: ${new Date().toUTCString()}\r\n\r\n${body}`);
  // What is still to come is dropped for a while: closing at once would reset the connection under the answer.
  const timer = setTimeout(() => socket.destroy(), lingering);
  timer.unref();
  socket.once("close", () => clearTimeout(timer));
  socket.on("error", () => socket.destroy());
  socket.resume();
  return answer.status;
}

function clientOf(socket: Duplex): string | undefined {
  return "remoteAddress" in socket && typeof socket.remoteAddress === "string"
    ? plainAddress(socket.remoteAddress)
    : undefined;
}

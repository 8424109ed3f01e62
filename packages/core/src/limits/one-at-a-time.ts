import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The requests of one connection that wait for the one before them. */
interface Line {
  readonly waiting: Waiting[];
}

interface Waiting {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly start: () => void;
}

/** Lets each connection have one request in progress at a time. */
export interface OneAtATime {
  /**
   * Calls `start` as soon as every earlier request of this connection is over; not at all where the connection ends, or
   * ends with the response to an earlier one (RFC 9112, section 9.6).
   */
  enter(request: IncomingMessage, response: ServerResponse, start: () => void): void;
}

/**
 * Requests that a client sends in a row (pipelining: RFC 9112, section 9.3.2) are handled in a row too, and what the
 * client sends beyond is left unread: one connection costs the registry one connection, however much is sent on it.
 *
 * Node reads up to 64 KiB at once, and makes a request of everything in it before anybody can stop it. These wait here.
 *
 * @param maxWaiting How many wait on all connections together. Beyond them, a connection that pipelines is cut.
 */
export function oneAtATime(maxWaiting: number): OneAtATime {
  const lines = new WeakMap<Socket, Line>();
  let waiting = 0;

  function begin(request: IncomingMessage, response: ServerResponse, start: () => void, line: Line): void {
    lines.set(request.socket, line);
    start();
    // Last of all listeners: the request is over in every respect when the next one begins.
    response.once("close", () => advance(request.socket, response, line));
  }

  function advance(socket: Socket, response: ServerResponse, line: Line): void {
    lines.delete(socket);
    if (line.waiting.length === 0) return;
    if (socket.destroyed || isLast(response)) {
      waiting -= line.waiting.length;
      line.waiting.length = 0;
      return;
    }
    const next = line.waiting.shift();
    if (next === undefined) return;
    waiting--;
    if (line.waiting.length === 0) readOn(socket);
    begin(next.request, next.response, next.start, line);
  }

  return {
    enter(request, response, start) {
      const { socket } = request;
      const line = lines.get(socket);
      if (line === undefined) return begin(request, response, start, { waiting: [] });
      if (waiting >= maxWaiting) return void socket.destroy();
      waiting++;
      if (line.waiting.push({ request, response, start }) === 1) stopReading(socket);
    },
  };
}

/** Whether the connection is closed after the response. */
function isLast(response: ServerResponse): boolean {
  return !response.shouldKeepAlive || /close/i.test(String(response.getHeader("connection")));
}

/** Whatever else resumes the connection, as each request does that is over, it is paused again before anything is read. */
function stopReading(socket: Socket): void {
  socket.on("resume", socket.pause);
  socket.pause();
}

function readOn(socket: Socket): void {
  socket.off("resume", socket.pause);
  socket.resume();
}

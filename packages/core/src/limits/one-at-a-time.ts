import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The requests of one connection. It is kept with the connection: an entry a request would cost more than all else here. */
interface Line {
  /** Whether one is in progress. */
  busy: boolean;
  /** Those that wait for the one before them. */
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
   * Calls `start` when every earlier request of this connection is finished; never where the connection closes, or
   * closes after the response to an earlier request (RFC 9112, section 9.6).
   */
  enter(request: IncomingMessage, response: ServerResponse, start: () => void): void;
}

/**
 * Handles pipelined requests (RFC 9112, section 9.3.2) one after the other, and leaves further ones unread: one client
 * connection uses one connection to the registry, however much is sent on it.
 *
 * Node reads up to 64 KiB at once and parses every request in it before it can be paused. These requests wait here.
 *
 * @param maxWaiting How many wait on all connections together. Beyond them, a connection that pipelines is destroyed.
 */
export function oneAtATime(maxWaiting: number): OneAtATime {
  const lines = new WeakMap<Socket, Line>();
  let waiting = 0;

  function begin(request: IncomingMessage, response: ServerResponse, start: () => void, line: Line): void {
    line.busy = true;
    start();
    // The last of all listeners: the request is finished in every respect when the next one starts.
    response.on("close", () => advance(request.socket, response, line));
  }

  function advance(socket: Socket, response: ServerResponse, line: Line): void {
    line.busy = false;
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
      let line = lines.get(socket);
      if (line === undefined) {
        line = { busy: false, waiting: [] };
        lines.set(socket, line);
      }
      if (!line.busy) return begin(request, response, start, line);
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

/** Every finished request resumes the connection; it is paused again before anything is read. */
function stopReading(socket: Socket): void {
  socket.on("resume", socket.pause);
  socket.pause();
}

function readOn(socket: Socket): void {
  socket.off("resume", socket.pause);
  socket.resume();
}

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** What is to be called for the responses of a connection that have not had it yet. */
const waiting = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls a listener once, when a response is closed, or its connection. They are not the same: a response whose turn on a
 * pipelined connection never came is not told when the connection closes, by Node 22, and by later ones after CONNECT.
 *
 * @param listener The same function for all responses, where there are many.
 */
export function onceClosed({ socket }: IncomingMessage, response: ServerResponse, listener: () => void): void {
  response.once("close", listener);
  // It has the connection, and is told.
  if (response.socket !== null) return;
  const pending = pendingOf(socket);
  const gone = (): void => {
    response.off("close", listener);
    listener();
  };
  pending.add(gone);
  response.once("close", () => pending.delete(gone));
}

function pendingOf(socket: Socket): Set<() => void> {
  const known = waiting.get(socket);
  if (known !== undefined) return known;
  const pending = new Set<() => void>();
  waiting.set(socket, pending);
  socket.once("close", () => {
    for (const gone of pending) gone();
    pending.clear();
  });
  return pending;
}

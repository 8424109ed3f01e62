import type { Duplex } from "node:stream";

/** The registry did not accept the connection in time. */
class ConnectTimeoutError extends Error {
  override readonly name = "ConnectTimeoutError";
  readonly code = "CONNECT_TIMEOUT";
}

/**
 * Destroys a socket after `timeout` milliseconds.
 *
 * @returns the timer, to be cleared when the socket is connected or closed.
 */
export function connectTimer(socket: Duplex, timeout: number): NodeJS.Timeout {
  return setTimeout(giveUp, timeout, socket, timeout);
}

function giveUp(socket: Duplex, timeout: number): void {
  socket.destroy(new ConnectTimeoutError(`no connection within ${timeout} ms`));
}

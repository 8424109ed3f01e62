import type { Duplex } from "node:stream";

/** The registry did not accept the connection in time. */
class ConnectTimeoutError extends Error {
  override readonly name = "ConnectTimeoutError";
  readonly code = "CONNECT_TIMEOUT";
}

/** Destroys a socket that is not connected within `timeout` milliseconds. */
export function limitConnecting(socket: Duplex, connected: "connect" | "secureConnect", timeout: number): void {
  const timer = setTimeout(() => {
    socket.destroy(new ConnectTimeoutError(`no connection within ${timeout} ms`));
  }, timeout);
  const stopTimer = (): void => clearTimeout(timer);
  socket.once(connected, stopTimer);
  socket.once("close", stopTimer);
}

import type { Duplex } from "node:stream";
import { ConnectionObserver } from "../observe/observe-connection.ts";

/** The registry did not accept the connection in time. */
class ConnectTimeoutError extends Error {
  override readonly name = "ConnectTimeoutError";
  readonly code = "CONNECT_TIMEOUT";
}

/** A connection that is being opened. */
export interface Connecting {
  /** The registry's host and port, for published events. */
  readonly upstream: string;
  /** Whether the socket is one of TLS. */
  readonly secure: boolean;
  /** In milliseconds. */
  readonly connectTimeout: number;
}

/**
 * Destroys a socket that does not connect in time, and publishes the events of its connection.
 *
 * @param closed Called after that, when it has closed.
 */
export function watchConnection(socket: Duplex, connecting: Connecting, closed: () => void): void {
  const { upstream, secure, connectTimeout } = connecting;
  const timer = setTimeout(giveUp, connectTimeout, socket, connectTimeout);
  const observer = new ConnectionObserver(upstream);
  socket.once(secure ? "secureConnect" : "connect", () => {
    clearTimeout(timer);
    observer.opened();
  });
  socket.once("close", () => {
    clearTimeout(timer);
    observer.closed(socket.errored);
    closed();
  });
}

function giveUp(socket: Duplex, timeout: number): void {
  socket.destroy(new ConnectTimeoutError(`no connection within ${timeout} ms`));
}

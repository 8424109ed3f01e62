import type { Duplex } from "node:stream";
import { upstreamConnection } from "./channels.ts";

/**
 * Publishes the events of a connection that is being opened.
 *
 * @param upstream The registry's host and port.
 * @param connected The event after which it is usable.
 */
export function observeConnection(upstream: string, socket: Duplex, connected: "connect" | "secureConnect"): void {
  let start = performance.now();
  let opened = false;
  const state = () => ({ upstream, milliseconds: performance.now() - start });
  socket.once(connected, () => {
    upstreamConnection.publish(() => ({ ...state(), event: "opened" }));
    opened = true;
    start = performance.now();
  });
  socket.once("close", () => {
    upstreamConnection.publish(() =>
      opened ? { ...state(), event: "closed" } : { ...state(), event: "failed", code: codeOf(socket.errored) },
    );
  });
}

function codeOf(error: Error | null): string | undefined {
  if (error === null) return undefined;
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

import type { ServerResponse } from "node:http";

const claimed: unique symbol = Symbol("claimed");
/** A mark of its own rather than an entry in a `WeakSet`, which would be one a request. */
interface Claimable {
  [claimed]?: boolean;
}

/**
 * Claims a response. Only the caller that gets true writes its head and body.
 *
 * Two parties may want to respond to one request: the forwarding, and Node's parser or a timeout that gives up on its
 * body. A second head would throw in an event listener.
 */
export function claim(response: ServerResponse & Claimable): boolean {
  if (response[claimed] === true || response.headersSent || response.writableEnded || response.destroyed) return false;
  response[claimed] = true;
  return true;
}

export function isClaimed(response: ServerResponse & Claimable): boolean {
  return response[claimed] === true;
}

/** Releases a response of which no byte was sent yet. */
export function disclaim(response: ServerResponse & Claimable): void {
  if (!response.headersSent) response[claimed] = false;
}

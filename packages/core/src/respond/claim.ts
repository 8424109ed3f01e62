import type { ServerResponse } from "node:http";

const claimed = new WeakSet<ServerResponse>();

/**
 * Claims a response. Only the caller that gets true writes its head and body.
 *
 * Two parties may want to respond to one request: the forwarding, and Node's parser or a timeout that gives up on its
 * body. A second head would throw in an event listener.
 */
export function claim(response: ServerResponse): boolean {
  if (claimed.has(response) || response.headersSent || response.writableEnded || response.destroyed) return false;
  claimed.add(response);
  return true;
}

export function isClaimed(response: ServerResponse): boolean {
  return claimed.has(response);
}

/** Releases a response of which no byte was sent yet. */
export function disclaim(response: ServerResponse): void {
  if (!response.headersSent) claimed.delete(response);
}

import type { ServerResponse } from "node:http";

const claimed = new WeakSet<ServerResponse>();

/**
 * Decides who responds, once: whoever gets true writes the head of the response and its body, and nobody else does.
 *
 * A response can be wanted twice: by the registry, and by Node's parser or a time limit that gives up on the body of the
 * same request. A second head would be an error in the middle of an event.
 */
export function claim(response: ServerResponse): boolean {
  if (claimed.has(response) || response.headersSent || response.writableEnded || response.destroyed) return false;
  claimed.add(response);
  return true;
}

export function isClaimed(response: ServerResponse): boolean {
  return claimed.has(response);
}

/** Lets somebody else respond, where not a byte was sent yet. */
export function disclaim(response: ServerResponse): void {
  if (!response.headersSent) claimed.delete(response);
}

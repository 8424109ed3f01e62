import type { ServerResponse } from "node:http";

/** A signal that aborts when the response ends or its client disconnects. */
export function untilGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  if (response.destroyed) gone.abort();
  return gone.signal;
}

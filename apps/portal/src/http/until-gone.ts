import type { ServerResponse } from "node:http";

const signals = new WeakMap<ServerResponse, AbortSignal>();

/** A signal that aborts when the client has gone, or has its response. */
export function untilGone(response: ServerResponse): AbortSignal {
  const known = signals.get(response);
  if (known !== undefined) return known;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  signals.set(response, gone.signal);
  return gone.signal;
}

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { onceClosed } from "./once-closed.ts";

/** A handler, and when the last request that it has begun is finished. */
export interface CountedRequests {
  readonly handle: RequestListener;
  /** How many are in progress. */
  readonly active: number;
  finished(): Promise<void>;
}

export function countRequests(respond: (request: IncomingMessage, response: ServerResponse) => void): CountedRequests {
  let active = 0;
  let resolveFinished: (() => void) | undefined;
  const onClose = (): void => {
    if (--active === 0) resolveFinished?.();
  };
  return {
    handle(request, response) {
      active++;
      onceClosed(request, response, onClose);
      respond(request, response);
    },
    get active() {
      return active;
    },
    finished: () =>
      active === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            resolveFinished = resolve;
          }),
  };
}

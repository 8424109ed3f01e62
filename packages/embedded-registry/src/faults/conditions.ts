import type { IncomingMessage } from "node:http";
import type { RequestHook } from "./faults.ts";

/** Asks `hook` only about the requests that `matches` picks. */
export function onlyFor(matches: (request: IncomingMessage) => boolean, hook: RequestHook): RequestHook {
  return (request, response) => matches(request) && hook(request, response);
}

/** Asks `hook` the first `times` times only, so that a second try finds the registry well. */
export function atMost(times: number, hook: RequestHook): RequestHook {
  let left = times;
  return (request, response) => {
    if (left === 0) return false;
    left -= 1;
    return hook(request, response);
  };
}

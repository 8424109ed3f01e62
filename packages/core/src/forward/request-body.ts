import type { RequestContext } from "../observe/request-context.ts";
import { askForBody } from "../validate/expectation.ts";
import type { RequestBody } from "./transport.ts";

/**
 * The body of a client's request, for the registry.
 *
 * @param mayEnd As in {@link RequestBody}.
 */
export function requestBody(
  { request, response, bytes, times }: RequestContext,
  mayEnd: RequestBody["mayEnd"],
): RequestBody {
  return {
    source: request,
    begin: () => askForBody(request, response),
    isComplete: () => request.complete,
    passed(length) {
      bytes.received += length;
      if (times.responded === undefined) times.lastChunk = performance.now();
    },
    ...(mayEnd && { mayEnd }),
  };
}

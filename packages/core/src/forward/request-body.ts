import { askForBody } from "../expectation.ts";
import type { RequestContext } from "../request-context.ts";
import type { RequestBody } from "./transport.ts";

/** The body of a client's request, for the registry. */
export function requestBody({ request, response, bytes }: RequestContext): RequestBody {
  return {
    source: request,
    begin: () => askForBody(request, response),
    isComplete: () => request.complete,
    passed(length) {
      bytes.received += length;
    },
  };
}

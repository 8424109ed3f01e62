import { requestBody } from "../http/request-body.ts";
import type { RequestHook } from "./faults.ts";
import type { PartialBody } from "./partial-body.ts";
import { sendBeginning } from "./partial-body.ts";

/** Takes the whole request and never answers. */
export function stallBeforeHeaders(): RequestHook {
  return async (request, response) => {
    for await (const _chunk of requestBody(request, response)());
    return true;
  };
}

/** Reads `bytes` of the body, then no more, and never answers. */
export function stallUpload(bytes: number): RequestHook {
  return async (request, response) => {
    let received = 0;
    for await (const chunk of requestBody(request, response)()) {
      received += chunk.byteLength;
      if (received >= bytes) break;
    }
    return true;
  };
}

/** Answers 200 with the beginning of a body, then falls silent. */
export function stallMidBody(body: PartialBody = {}): RequestHook {
  return async (_request, response) => {
    await sendBeginning(response, body);
    return true;
  };
}

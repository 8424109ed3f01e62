import type { RequestHook } from "./faults.ts";
import type { PartialBody } from "./partial-body.ts";
import { sendBeginning } from "./partial-body.ts";

/** Closes the connection without an answer, as soon as the headers have come. */
export function closeBeforeAnswer(): RequestHook {
  return (request) => {
    request.socket.destroy();
    return true;
  };
}

/** Answers 200 with the beginning of a body, then closes the connection. */
export function closeMidBody(body: PartialBody = {}): RequestHook {
  return async (request, response) => {
    await sendBeginning(response, body);
    request.socket.destroy();
    return true;
  };
}

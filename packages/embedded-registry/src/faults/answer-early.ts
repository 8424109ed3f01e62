import { STATUS_CODES } from "node:http";
import { problemBody } from "../http/problem.ts";
import { requestBody } from "../http/request-body.ts";
import type { RequestHook } from "./faults.ts";

export interface EarlyAnswer {
  /** Default 403. */
  readonly status?: number;
  /** How many bytes of the body are read before the answer. Default 0. */
  readonly after?: number;
  /** How long the connection stays half open after the answer, in milliseconds. Default 500. */
  readonly linger?: number;
}

/**
 * Refuses in the middle of an upload as Go's server does, and so docker-registry: it answers with `Connection: close`,
 * reads no further, ends its own side, and closes the connection a little later.
 */
export function answerEarly(answer: EarlyAnswer = {}): RequestHook {
  const { status = 403, after = 0, linger = 500 } = answer;
  const body = problemBody("DENIED", "requested access to the resource is denied");
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Docker-Distribution-Api-Version: registry/2.0",
    "Connection: close",
  ];
  return async (request, response) => {
    let received = 0;
    if (after > 0) {
      for await (const chunk of requestBody(request, response)()) {
        received += chunk.byteLength;
        if (received >= after) break;
      }
    }
    // Written past the response, which would read the rest of the body or close both sides at once.
    const { socket } = request;
    socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
    const timer = setTimeout(() => socket.destroy(), linger);
    socket.once("close", () => clearTimeout(timer));
    return true;
  };
}

import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";

/** The header that names a request, on every response and in its record. */
export const requestIdHeader = "X-Request-Id";

/** Of letters, digits and what common generators put between them. It stands in logs as it is. */
const idPattern = /^[A-Za-z0-9](?:[A-Za-z0-9._:/+=@-]{0,126}[A-Za-z0-9=])?$/;

export function newRequestId(): string {
  return randomUUID();
}

/** A request's id as somebody else has written it; `undefined` for what cannot be one. */
export function readRequestId(text: unknown): string | undefined {
  return typeof text === "string" && idPattern.test(text) ? text : undefined;
}

/**
 * The id of the request that a response is for. A response that has none, from an app that the gate is mounted in, gets one.
 *
 * @param given What a trusted proxy calls the request.
 */
export function requestIdOf(response: ServerResponse, given?: string): string {
  const said = readRequestId(response.getHeader(requestIdHeader));
  if (said !== undefined) return said;
  const id = given ?? newRequestId();
  if (!response.headersSent) response.setHeader(requestIdHeader, id);
  return id;
}

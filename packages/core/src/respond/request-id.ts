import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";

/** The header that names a request, on every response and in its record. */
export const requestIdHeader = "X-Request-Id";

/** The syntax of an id: letters, digits and common separators, safe to log as it is. */
const idPattern = /^[A-Za-z0-9](?:[A-Za-z0-9._:/+=@-]{0,126}[A-Za-z0-9=])?$/;

export function newRequestId(): string {
  const id = randomUUID();
  // V8 has it in twenty pieces until a character is looked at: half a KiB for each request in progress.
  id.charCodeAt(0);
  return id;
}

/** A request id from outside; `undefined` for an invalid one. */
export function readRequestId(text: unknown): string | undefined {
  return typeof text === "string" && idPattern.test(text) ? text : undefined;
}

const reserved: unique symbol = Symbol("requestId");
/** A response with an id that is not among its headers yet. */
interface Reserving {
  [reserved]?: string;
}

/**
 * The id of the request that a response belongs to. A response without one, from the surrounding app, gets a new one.
 *
 * @param given The id from a trusted proxy.
 */
export function requestIdOf(response: ServerResponse & Reserving, given?: string): string {
  const said = readRequestId(response.getHeader(requestIdHeader));
  if (said !== undefined) return said;
  const id = reserveRequestId(response, given);
  if (!response.headersSent) response.setHeader(requestIdHeader, id);
  return id;
}

/**
 * Chooses the id for a response without headers, and leaves it to whoever writes the head. One that was refused while its
 * request waited for its turn keeps the id that it has.
 */
export function reserveRequestId(response: ServerResponse & Reserving, given: string | undefined): string {
  const id = response[reserved] ?? given ?? newRequestId();
  response[reserved] = id;
  return id;
}

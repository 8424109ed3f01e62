import type { IncomingMessage, ServerResponse } from "node:http";
import type { Access } from "@registry-gate/auth";
import type { ErrorCode } from "../route/refusal.ts";
import { holdsBodyBack } from "../validate/expectation.ts";
import { writeAddedHeaders } from "./added-headers.ts";
import { protectCookies, removeOwnedHeaders } from "./app-headers.ts";
import { claim } from "./claim.ts";
import { endResponse } from "./end-response.ts";
import { requestIdOf } from "./request-id.ts";

/** An error response of the gate. */
export interface ErrorResponse {
  readonly status: number;
  readonly code: ErrorCode | "TOOMANYREQUESTS";
  readonly message: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /**
   * The missing permissions. The error's detail contains them without names, so that a response never echoes what was
   * requested.
   */
  readonly accesses?: readonly Access[];
}

/** The header of every response that indicates version 2 of the API (docker-registry's API). */
export const apiVersion: readonly [name: string, value: string] = ["Docker-Distribution-Api-Version", "registry/2.0"];

/**
 * Sends an error in the format of the OCI distribution specification 1.1, section "Error Codes".
 *
 * Headers set by an app stay, except those that describe the response. The rest of the request's body is dropped; a
 * client that waits for `100 Continue` never sends it. Nothing is sent where the response is already claimed.
 *
 * @returns the length of the body, in bytes.
 */
export function sendError(request: IncomingMessage, response: ServerResponse, error: ErrorResponse): number {
  if (!claim(response)) return 0;
  const body = errorBody(error, requestIdOf(response));
  response.statusCode = error.status;
  removeOwnedHeaders(response);
  for (const [name, value] of Object.entries(errorHeaders(error, body))) response.setHeader(name, value);
  writeAddedHeaders(response);
  if (holdsBodyBack(request)) response.setHeader("Connection", "close");
  protectCookies(response);
  const withBody = request.method !== "HEAD";
  endResponse(request, response, withBody ? body : undefined);
  return withBody ? Buffer.byteLength(body) : 0;
}

/** @param requestId As in the response's `X-Request-Id`: clients print the detail, and no header. */
export function errorBody({ code, message, accesses = [] }: ErrorResponse, requestId: string): string {
  const missing = accesses.length > 0 ? { accesses: accesses.map(({ type, action }) => ({ type, action })) } : {};
  return JSON.stringify({ errors: [{ code, message, detail: { requestId, ...missing } }] });
}

export function errorHeaders(error: ErrorResponse, body: string): Record<string, string | readonly string[]> {
  const [name, version] = apiVersion;
  return {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": `${Buffer.byteLength(body)}`,
    [name]: version,
    "X-Content-Type-Options": "nosniff",
    ...error.headers,
  };
}

import type { Principal } from "@registry-gate/auth";
import { formatChallenge } from "@registry-gate/auth-kit";
import type { TokenResponse } from "@registry-gate/core";
import type { TokenBody } from "../token-service.ts";

/** An error of RFC 6749, section 5.2, and two of section 4.1.2.1 for what is not the client's fault. */
export type OAuthError =
  | "invalid_request"
  | "invalid_grant"
  | "invalid_scope"
  | "unsupported_grant_type"
  | "temporarily_unavailable"
  | "slow_down";

/** A response that gives no token. */
export interface Failure {
  readonly status: 400 | 401 | 405 | 413 | 415 | 429 | 503;
  readonly error: OAuthError;
  /** For the client: it tells nobody what they could not know. */
  readonly message: string;
  readonly decision: TokenResponse["decision"];
  /** For the log. Default: the message. */
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly attemptedUsername?: string | undefined;
}

/** The code of the OCI error format that stands beside each error: clients of registries read that one. */
const codes: Readonly<Record<Failure["status"], string>> = {
  400: "UNSUPPORTED",
  401: "UNAUTHORIZED",
  405: "UNSUPPORTED",
  413: "UNSUPPORTED",
  415: "UNSUPPORTED",
  429: "TOOMANYREQUESTS",
  503: "UNAVAILABLE",
};

/** RFC 6749, section 5.1: what holds a token is never kept. */
const uncached = { "Content-Type": "application/json", "Cache-Control": "no-store", Pragma: "no-cache" };

/** @param requestId As in the response's `X-Request-Id`. */
export function fail(failure: Failure, requestId: string): TokenResponse {
  const { status, error, message, decision, reason = message, headers, attemptedUsername } = failure;
  const errors = [{ code: codes[status], message, detail: { requestId } }];
  return {
    status,
    headers: { ...uncached, ...headers },
    body: JSON.stringify({ error, error_description: message, errors }),
    decision,
    reason,
    loginRejected: decision === "unauthenticated",
    ...(attemptedUsername !== undefined && { attemptedUsername }),
  };
}

export function succeed(body: TokenBody, reason: string, principal: Principal): TokenResponse {
  return {
    status: 200,
    headers: uncached,
    body: JSON.stringify(body),
    decision: "allowed",
    reason,
    principal,
    issued: body.refresh_token === undefined ? "access" : "refresh",
  };
}

/** RFC 9110, section 15.5.2: a 401 says how to log in. */
export function unauthorized(service: string, reason: string, attemptedUsername?: string): Failure {
  return {
    status: 401,
    error: "invalid_grant",
    message: "the user name or the password is wrong",
    decision: "unauthenticated",
    reason,
    headers: { "WWW-Authenticate": formatChallenge({ scheme: "Basic", parameters: { realm: service } }) },
    attemptedUsername,
  };
}

const retryAfter = "5";

export function unavailable(reason: string): Failure {
  return {
    status: 503,
    error: "temporarily_unavailable",
    message: "logins cannot be checked at the moment",
    decision: "unavailable",
    reason,
    headers: { "Retry-After": retryAfter },
  };
}

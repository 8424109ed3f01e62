import type { Principal } from "@registry-gate/auth";

/** What was decided about a request. */
export type Decision =
  /** Passed on to the registry, answered from what the registry said, or a browser's preflight that was granted. */
  | "allowed"
  /** 401: nobody was authenticated, or the credentials were wrong. Also where the client left before anybody knew. */
  | "unauthenticated"
  /** 403: known, but not allowed; 401 where a Bearer token that was issued for more would be. */
  | "denied"
  /** 429: too many failed logins, or too many requests of one client at the same time. */
  | "throttled"
  /** 400, 404, 405, 415, 417, 431 or 505: not understood as a registry request. */
  | "refused"
  /** 503 or 500: the gate could not decide, because a backend gave no response or the gate itself is at its limits. */
  | "unavailable";

/** The step in which a request ended. */
export type Phase = "validate" | "route" | "authenticate" | "authorize" | "forward" | "respond";

/** How a request ended. */
export type Outcome =
  /** The whole response was sent. */
  | "completed"
  /** The client left before the whole response was sent. */
  | "client-aborted"
  /** The registry gave no response, a broken one, or an error of its own (5xx). */
  | "upstream-error"
  /** The registry was silent (504), or the client sent (408) or read too slowly. */
  | "timeout"
  /** A fault of the gate itself: 500, or a response that was cut. */
  | "internal-error";

/** One request from its arrival to its end, without any secret in it. */
export interface RequestRecord {
  /** As in the response's `X-Request-Id`: what a trusted proxy in front calls the request, or a UUID. */
  readonly requestId: string;
  readonly method: string;
  /** Undefined where the request was not understood. */
  readonly operation: string | undefined;
  readonly repository: string | undefined;
  /** A tag or a digest. */
  readonly reference: string | undefined;
  /** The client's address, taken from `X-Forwarded-For` only where a trusted proxy says so. */
  readonly client: string | undefined;
  readonly username: string | undefined;
  /**
   * The name of a login that was not accepted, at most 128 characters, controls and marks of direction escaped.
   * Undefined where the option `attemptedNames` is false.
   */
  readonly attemptedUsername: string | undefined;
  /** The id of the backend that authenticated the user. */
  readonly backend: string | undefined;
  /** Who asked, with groups, grants and how they are known; undefined where that was not found out. */
  readonly principal: Principal | undefined;
  readonly decision: Decision;
  readonly phase: Phase;
  readonly outcome: Outcome;
  /** Why, in one line. */
  readonly reason: string;
  /** The status that was sent; 499 where the client went before the response. */
  readonly status: number;
  /** Of the request's body. */
  readonly bytesReceived: number;
  /** Of the response's body. */
  readonly bytesSent: number;
  readonly milliseconds: number;
}

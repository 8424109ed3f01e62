import type { Principal } from "@registry-gate/auth";

/** What was decided about a request. */
export type Decision =
  /**
   * Forwarded to the registry, a response made from the registry's responses, or a CORS preflight of an allowed origin.
   */
  | "allowed"
  /** 401: no valid credentials. Also where the client disconnected before the decision. */
  | "unauthenticated"
  /** 403: authenticated but not allowed; 401 where a Bearer token with a wider scope would be. */
  | "denied"
  /** 429: too many failed logins, or too many concurrent requests of one client. */
  | "throttled"
  /** 400, 404, 405, 415, 417, 431 or 505: not a valid registry request. */
  | "refused"
  /** 503 or 500: no decision, because a backend is unavailable or the gate is at its limits. */
  | "unavailable";

/** The step in which a request ended. */
export type Phase = "validate" | "route" | "authenticate" | "authorize" | "forward" | "respond";

/** How a request ended. */
export type Outcome =
  /** The whole response was sent. */
  | "completed"
  /** The client disconnected before the whole response was sent. */
  | "client-aborted"
  /** The registry sent no response, a broken one, or a 5xx. */
  | "upstream-error"
  /** The registry was silent (504), or the client sent (408) or read too slowly. */
  | "timeout"
  /** An internal error: 500, or a truncated response. */
  | "internal-error";

/** The record of one finished request, without any secret. */
export interface RequestRecord {
  /** As in the response's `X-Request-Id`: the id from a trusted proxy, or a UUID. */
  readonly requestId: string;
  readonly method: string;
  /** Undefined where the request is not a valid registry request. */
  readonly operation: string | undefined;
  readonly repository: string | undefined;
  /** A tag or a digest. */
  readonly reference: string | undefined;
  /** The client's address, taken from `X-Forwarded-For` only where a trusted proxy says so. */
  readonly client: string | undefined;
  readonly username: string | undefined;
  /**
   * The user name of a rejected login: at most 128 characters, control and bidirectional characters escaped. Undefined
   * where the option `attemptedNames` is false.
   */
  readonly attemptedUsername: string | undefined;
  /** The id of the backend that authenticated the user. */
  readonly backend: string | undefined;
  /** The caller with groups, grants and login method; undefined where it was not determined. */
  readonly principal: Principal | undefined;
  readonly decision: Decision;
  readonly phase: Phase;
  readonly outcome: Outcome;
  /** The reason, in one line. */
  readonly reason: string;
  /** The status of the response; 499 where the client disconnected before it. */
  readonly status: number;
  /** Of the request's body. */
  readonly bytesReceived: number;
  /** Of the response's body. */
  readonly bytesSent: number;
  /** From the request's head to the end of the response. */
  readonly milliseconds: number;
  /** Of these, what the gate took itself: until it gave the request to the registry, or else to the end of the response. */
  readonly gateMilliseconds: number;
  /**
   * Of these, what the registry took: from the end of the request to the head of its response, with the wait for a
   * connection, and with queries of the gate. Undefined where the registry was not asked. The rest is for bodies.
   */
  readonly upstreamMilliseconds: number | undefined;
}

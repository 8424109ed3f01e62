/** What became of a request. */
export type Decision =
  /** Passed on to the registry. */
  | "allowed"
  /** 401: nobody was authenticated, or the credentials were wrong. */
  | "unauthenticated"
  /** 403: known, but not allowed. */
  | "denied"
  /** 429: too many logins have failed. */
  | "throttled"
  /** 400, 404, 405, 415, 417, 431 or 505: not understood as a registry request. */
  | "refused"
  /** 503: a backend could not answer. */
  | "unavailable";

/** One request from its arrival to its end, without any secret in it. */
export interface RequestRecord {
  readonly method: string;
  /** Undefined where the request was not understood. */
  readonly operation: string | undefined;
  readonly repository: string | undefined;
  /** A tag or a digest. */
  readonly reference: string | undefined;
  /** The client's address, taken from `X-Forwarded-For` only where a trusted proxy says so. */
  readonly client: string | undefined;
  readonly username: string | undefined;
  /** The id of the backend that authenticated the user. */
  readonly backend: string | undefined;
  readonly decision: Decision;
  /** Why, in one line. */
  readonly reason: string;
  /** The status that was sent; 499 where the client went before the answer. */
  readonly status: number;
  /** Of the request's body. */
  readonly bytesReceived: number;
  /** Of the answer's body. */
  readonly bytesSent: number;
  readonly milliseconds: number;
}

import type { Access } from "./access.ts";

/** One `WWW-Authenticate` challenge of a 401 (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** For example `Basic` or `Bearer`. */
  readonly scheme: string;
  /** In the order in which they are written; the caller quotes them. */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * The error of a Bearer token (RFC 6750, section 3.1): `invalid_token` for one that was rejected, `insufficient_scope`
 * for one whose grants do not include what the request needs.
 */
export type ChallengeError = "invalid_token" | "insufficient_scope";

/** The request that a challenge is made for. */
export interface ChallengeContext {
  /** The accesses that the request needs; empty where it needs only a login. */
  readonly accesses: readonly Access[];
  /** Absent where the request had no Bearer token. */
  readonly error?: ChallengeError;
  /**
   * The scheme and authority by which the client reaches the gate, behind trusted proxies too, such as
   * `https://registry.example.com`.
   */
  readonly origin: string;
}

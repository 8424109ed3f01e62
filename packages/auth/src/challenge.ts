import type { Access } from "./access.ts";

/** What a 401 asks for: one `WWW-Authenticate` challenge of RFC 9110, section 11.6.1. */
export interface Challenge {
  /** For example `Basic` or `Bearer`. */
  readonly scheme: string;
  /** In the order in which they are to be written; quoting is the caller's work. */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * What was wrong with a Bearer token, as RFC 6750, section 3.1 names it: `invalid_token` for one that was rejected,
 * `insufficient_scope` for one whose grants do not include what the request needs.
 */
export type ChallengeError = "invalid_token" | "insufficient_scope";

/** What a challenge is made for. */
export interface ChallengeContext {
  /** What the request needs; empty where it needs no more than a login. */
  readonly accesses: readonly Access[];
  /** Absent where the request had no Bearer token. */
  readonly error?: ChallengeError;
  /**
   * The scheme and authority by which the client reaches the gate, behind trusted proxies too, such as
   * `https://registry.example.com`.
   */
  readonly origin: string;
}

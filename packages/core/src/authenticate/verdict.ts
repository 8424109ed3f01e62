import type { AnonymousPrincipal, UserPrincipal } from "@registry-gate/auth";
import type { Throttled } from "./throttle/login-throttle.ts";

/** The result of authentication. */
export type Verdict = AuthenticatedVerdict | AnonymousVerdict | ExpiredVerdict | RefusedVerdict;

/** A verdict that ends the request. */
export type RefusedVerdict =
  | {
      readonly outcome: "rejected";
      /** For the log. */
      readonly reason: string;
      /** The `Authorization` header is malformed or duplicated: no backend has seen it. */
      readonly malformed?: true;
    }
  /** The request names two different users. */
  | { readonly outcome: "conflicting"; readonly reason: string }
  /** Too many failed logins: the credentials were not verified. */
  | Throttled
  /** No backend authenticated the caller, and at least one was unavailable. */
  | {
      readonly outcome: "unavailable";
      readonly reason: string;
      /** The errors, in the order of the backends. */
      readonly causes: readonly unknown[];
    };

/** No credentials were given, or a token that was issued to nobody; then the principal has grants. */
export interface AnonymousVerdict {
  readonly outcome: "anonymous";
  readonly principal: AnonymousPrincipal;
  /** When it ceases to hold, in milliseconds since the epoch; absent for never. */
  readonly expiresAt?: number;
}

/** A login that was good until lately: it counts for continuing uploads that began under it, and for nothing else. */
export interface ExpiredVerdict {
  readonly outcome: "expired";
  readonly principal: UserPrincipal;
  /** For the log. */
  readonly reason: string;
}

/** The caller is an authenticated user. */
export interface AuthenticatedVerdict {
  readonly outcome: "authenticated";
  readonly principal: UserPrincipal;
  /** When it expires, in milliseconds since the epoch; `undefined` for never. */
  readonly expiresAt: number | undefined;
  /** For how long it may be remembered at most, in milliseconds. */
  readonly rememberFor?: number;
}

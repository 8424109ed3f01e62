import type { AnonymousPrincipal, UserPrincipal } from "@registry-gate/auth";
import type { Throttled } from "./throttle/login-throttle.ts";

/** Who is asking, as far as the backends can tell. */
export type Verdict =
  | AuthenticatedVerdict
  | AnonymousVerdict
  | ExpiredVerdict
  | {
      readonly outcome: "rejected";
      /** For the log. */
      readonly reason: string;
      /** The `Authorization` header could not be read, or stands twice: no backend has seen it. */
      readonly malformed?: true;
    }
  /** The request names two different callers. */
  | { readonly outcome: "conflicting"; readonly reason: string }
  /** Too many logins have failed: the credentials were not looked at. */
  | Throttled
  /** No backend authenticated the caller, and at least one could not answer. */
  | {
      readonly outcome: "unavailable";
      readonly reason: string;
      /** What was thrown, in the order in which the backends were asked. */
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

/** Somebody was signed in. */
export interface AuthenticatedVerdict {
  readonly outcome: "authenticated";
  readonly principal: UserPrincipal;
  /** When it ceases to hold, in milliseconds since the epoch; `undefined` for never. */
  readonly expiresAt: number | undefined;
  /** For how long it may be remembered at most, in milliseconds. */
  readonly rememberFor?: number;
}

import type { AnonymousPrincipal, UserPrincipal } from "@registry-gate/auth";
import type { Throttled } from "./throttle/login-throttle.ts";

/** Who is asking, as far as the backends can tell. */
export type Verdict =
  | AuthenticatedVerdict
  /** No credentials were given. */
  | { readonly outcome: "anonymous"; readonly principal: AnonymousPrincipal }
  | RefusedVerdict;

/** The caller is not known, and the request ends. */
export type RefusedVerdict =
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

/** Somebody was signed in. */
export interface AuthenticatedVerdict {
  readonly outcome: "authenticated";
  readonly principal: UserPrincipal;
  /** When it ceases to hold, in milliseconds since the epoch; `undefined` for never. */
  readonly expiresAt: number | undefined;
}

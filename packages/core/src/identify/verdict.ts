import type { Identity } from "@registry-gate/auth";
import type { Throttled } from "./throttle/login-throttle.ts";

/** Who is asking, as far as the backends can tell. */
export type Verdict =
  | {
      readonly outcome: "authenticated";
      readonly identity: Identity;
      readonly expiresAt: number | undefined;
      /** The app's session alone says so, which a browser sends whatever page asks it to. */
      readonly bySession?: true;
    }
  /** No credentials were given. */
  | { readonly outcome: "anonymous" }
  | { readonly outcome: "rejected"; readonly reason: string }
  /** The request names two different callers. */
  | { readonly outcome: "conflicting"; readonly reason: string }
  /** Too many logins have failed: the credentials were not looked at. */
  | Throttled
  /** No backend authenticated the caller, and at least one could not answer. */
  | { readonly outcome: "unavailable"; readonly reason: string };

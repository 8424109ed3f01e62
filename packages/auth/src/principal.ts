import type { Grants } from "./grants.ts";
import type { Identity } from "./identity.ts";

/** Whom a decision is about: somebody authenticated, or nobody in particular. */
export type Principal = UserPrincipal | AnonymousPrincipal;

/** Somebody whom a backend, or the session of an app, vouches for. */
export interface UserPrincipal {
  readonly kind: "user";
  readonly identity: Identity;
  /** What the login is limited to. Absent: to nothing less than what the rules allow. */
  readonly grants?: Grants;
  readonly via: LoginMethod;
}

/** Nobody in particular, as far as the request says. */
export interface AnonymousPrincipal {
  readonly kind: "anonymous";
  /** As those of a user: of a token that was issued to nobody. */
  readonly grants?: Grants;
}

/**
 * How a user is known: by a Basic or a Bearer login, by headers or the connection of a trusted proxy (whatever else was
 * in the request), or by the session of the app around the middleware.
 */
export type LoginMethod = "basic" | "bearer" | "proxy" | "session";

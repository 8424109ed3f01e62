import type { Grants } from "./grants.ts";
import type { Identity } from "./identity.ts";

/** The caller of a request: an authenticated user, or an anonymous caller. */
export type Principal = UserPrincipal | AnonymousPrincipal;

/** A user authenticated by a backend, or by the session of an app. */
export interface UserPrincipal {
  readonly kind: "user";
  readonly identity: Identity;
  /** The restriction of the login. Absent: none beyond the rules. */
  readonly grants?: Grants;
  /** The client can get a token with wider grants by asking for them. */
  readonly widenable?: true;
  readonly via: LoginMethod;
}

/** An anonymous caller. */
export interface AnonymousPrincipal {
  readonly kind: "anonymous";
  /** From a token that was issued to an anonymous caller. */
  readonly grants?: Grants;
}

/**
 * How the user was authenticated: by a Basic or Bearer login, by the headers or the connection of a trusted proxy
 * (whatever else was in the request), or by the session of the app around the middleware.
 */
export type LoginMethod = "basic" | "bearer" | "proxy" | "session";

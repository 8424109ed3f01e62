import type { AuthBackend, BackendContext } from "@registry-gate/auth";
import type { Ask } from "./request.ts";

/** A user whom the backend must authenticate. */
export interface KnownUser {
  readonly ask: Ask;
  /** The name expected in the identity. */
  readonly username: string;
  /** The groups expected in the identity, in any order; the identity may have more. */
  readonly groups: readonly string[];
}

/** Restores the state before. */
export type Restore = () => Promise<void>;

/** A backend as the contract's cases need it. */
export interface BackendFixture {
  /** Opens a backend of its own for each case, with the id and the log of the context. */
  open(context: BackendContext): Promise<AuthBackend>;
  /** At least two, with different names. */
  readonly users: readonly [KnownUser, KnownUser, ...KnownUser[]];
  /** Credentials that are the backend's to judge, and wrong: the name of a user with the password of nobody. */
  readonly wrong: readonly [Ask, ...Ask[]];
  /** Well-formed credentials of somebody whom it does not know. */
  readonly unknown: readonly [Ask, ...Ask[]];
  /** Requests that do not concern it, beside one without any credentials: another scheme, for example. */
  readonly foreign: readonly Ask[];
  /** A login as somebody with this name. Default: with the name as user name of a Basic login. */
  readonly hostile?: (name: string) => Ask;
  /** Secrets that must never be revealed: every password, token and secret in the requests and the options. */
  readonly secrets: readonly [string, ...string[]];
  /**
   * Makes whatever the backend asks unreachable. Leave it out only where the backend asks nothing outside of the process:
   * then there is no case for it.
   */
  readonly outage?: (backend: AuthBackend) => Promise<Restore>;
  /**
   * Gives the first of `users` another password, in effect when it resolves. Required where the backend has both
   * `Identity.revision` and `lookup`.
   */
  readonly changePassword?: (backend: AuthBackend) => Promise<Restore>;
  /** Makes whatever the backend asks silent, so that it has to wait. Leave it out where it never waits. */
  readonly silence?: (backend: AuthBackend) => Promise<Restore>;
}

import type { Identity } from "@registry-gate/auth";

/** Whom a strategy, or the session of an app, has let in. */
export interface SignedIn {
  /** The name that access rules, `${username}` and the log use. */
  readonly username: string;
  /** A stable identifier. Default: the user name. */
  readonly subject?: string;
  /** The groups that access rules name as `group:NAME`. Default: none. */
  readonly groups?: readonly string[];
  /** What else is known. Never a secret: it may be logged. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** When the answer ceases to hold, in milliseconds since the epoch: the expiry of a token. */
  readonly expiresAt?: number;
}

/** Says who a strategy's user is; `info` is what the strategy gives beside it. */
export type MapUser = (user: unknown, info: unknown) => SignedIn | Promise<SignedIn>;

/**
 * Makes an identity of what a function of the user's has told.
 *
 * @throws {TypeError} where that is no identity: it may come from JavaScript.
 */
export function identityOf(signedIn: SignedIn, backend: string): Identity {
  if (typeof signedIn !== "object" || signedIn === null) throw new TypeError("there is no user");
  const { groups = [], claims } = signedIn;
  if (!Array.isArray(groups)) throw new TypeError("the groups are no list");
  const username = asName(signedIn.username, "the user name");
  // Two names that look alike must not differ by what cannot be seen (RFC 8264, section 4.2).
  if (/\p{Cf}/u.test(username) || username.trim() !== username) {
    throw new TypeError("the user name holds what cannot be seen");
  }
  const identity = {
    subject: signedIn.subject === undefined ? username : asName(signedIn.subject, "the subject"),
    username,
    groups: [...new Set(groups.map((group: unknown) => asName(group, "a group")))],
    backend,
  };
  return claims === undefined ? identity : { ...identity, claims };
}

/** Rules compare names in Normalization Form C; a log must not break at them. */
function asName(value: unknown, what: string): string {
  if (typeof value !== "string") throw new TypeError(`${what} is no text`);
  if (value === "") throw new TypeError(`${what} is empty`);
  if (!value.isWellFormed() || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(value)) {
    throw new TypeError(`${what} holds what is no part of a name`);
  }
  return value.normalize("NFC");
}

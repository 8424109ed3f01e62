import type { Identity } from "@registry-gate/auth";

/** Whom a strategy, or the session of an app, has let in. */
export interface SignedIn {
  /** The name that access rules, `${username}` and the log use. */
  readonly username: string;
  /** A stable identifier. Default: the user name. */
  readonly subject?: string;
  /** The groups that access rules name as `group:NAME`. What no rule can name is passed over. Default: none. */
  readonly groups?: readonly unknown[];
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
 * @param passedOver Is told why a group was passed over; it goes on after "a group that". It never quotes the group.
 * @throws {TypeError} where that is no identity: it may come from JavaScript.
 */
export function identityOf(
  signedIn: SignedIn,
  backend: string,
  passedOver: (reason: string) => void = () => {},
): Identity {
  if (typeof signedIn !== "object" || signedIn === null) throw new TypeError("there is no user");
  const { groups = [], claims } = signedIn;
  if (!Array.isArray(groups)) throw new TypeError("the groups are no list");
  const username = asName(signedIn.username, "the user name");
  const read = readGroups(groups, passedOver);
  return {
    subject: signedIn.subject === undefined ? username : asText(signedIn.subject, "the subject"),
    username,
    groups: read.groups,
    ...(read.ambiguous.length > 0 && { ambiguousGroups: read.ambiguous }),
    backend,
    ...(claims !== undefined && { claims }),
  };
}

/** One odd group must not lock its members out. What a rule could mean all the same counts for rules that deny. */
function readGroups(
  values: readonly unknown[],
  passedOver: (reason: string) => void,
): { readonly groups: readonly string[]; readonly ambiguous: readonly string[] } {
  const groups = new Set<string>();
  const ambiguous = new Set<string>();
  for (const value of values) {
    if (value === "") continue;
    try {
      groups.add(asName(value, "it"));
    } catch {
      const text = typeof value === "number" ? String(value) : value;
      passedOver(typeof value === "string" ? "holds what cannot be seen" : "is no text");
      if (typeof text === "string" && text.isWellFormed()) ambiguous.add(text.normalize("NFC"));
    }
  }
  return { groups: [...groups], ambiguous: [...ambiguous].filter((name) => !groups.has(name)) };
}

/** Two names that look alike must not differ by what cannot be seen (RFC 8264, section 4.2). */
function asName(value: unknown, what: string): string {
  const name = asText(value, what);
  if (/\p{Cf}/u.test(name) || name.trim() !== name) throw new TypeError(`${what} holds what cannot be seen`);
  return name;
}

/** Rules compare names in Normalization Form C; a log must not break at them. */
function asText(value: unknown, what: string): string {
  if (typeof value !== "string") throw new TypeError(`${what} is no text`);
  if (value === "") throw new TypeError(`${what} is empty`);
  if (!value.isWellFormed() || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(value)) {
    throw new TypeError(`${what} holds what is no part of a name`);
  }
  return value.normalize("NFC");
}

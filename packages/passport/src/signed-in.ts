import type { Identity } from "@registry-gate/auth";
import { readGroups, readName, readText, type TextReading } from "@registry-gate/auth-kit";

/** The user that a strategy, or the session of an app, has authenticated. */
export interface SignedIn {
  /** The name that access rules, `${username}` and the log use. */
  readonly username: string;
  /** A stable identifier. Default: the user name. */
  readonly subject?: string;
  /** The groups that access rules name as `group:NAME`. Groups that no rule can name are skipped. Default: none. */
  readonly groups?: readonly unknown[];
  /** What else is known. Never a secret: it may be logged. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** When the answer ceases to hold, in milliseconds since the epoch: the expiry of a token. */
  readonly expiresAt?: number;
}

/** Maps a strategy's user to an identity; `info` is the second argument of the strategy's `success`. */
export type MapUser = (user: unknown, info: unknown) => SignedIn | Promise<SignedIn>;

/**
 * Makes an identity of what the app's function returned.
 *
 * @param skipped Called with the reason when a group is skipped. The reason continues "a group that" and never quotes the group.
 * @throws {TypeError} where that is no identity: it may come from JavaScript.
 */
export function identityOf(
  signedIn: SignedIn,
  backend: string,
  skipped: (reason: string) => void = () => {},
): Identity {
  if (typeof signedIn !== "object" || signedIn === null) throw new TypeError("there is no user");
  const { groups = [], claims } = signedIn;
  if (!Array.isArray(groups)) throw new TypeError("the groups are not a list");
  const username = accepted(signedIn.username, "the user name", readName);
  const readSubject = (text: string): TextReading => readText(text, MAX_SUBJECT_LENGTH);
  const read = readGroups(groups);
  for (const reason of read.skipped) skipped(reason);
  return {
    subject: signedIn.subject === undefined ? username : accepted(signedIn.subject, "the subject", readSubject),
    username,
    groups: read.groups,
    ...(read.ambiguous.length > 0 && { ambiguousGroups: read.ambiguous }),
    backend,
    ...(claims !== undefined && { claims }),
  };
}

/** More than any distinguished name of a directory that is reached by LDAP. */
const MAX_SUBJECT_LENGTH = 8192;

/** @throws {TypeError} with the fault of what was read. */
function accepted(value: unknown, what: string, read: (text: string) => TextReading): string {
  if (typeof value !== "string") throw new TypeError(`${what} is not a string`);
  const { text, fault } = read(value);
  if (text === undefined) throw new TypeError(`${what} ${fault}`);
  return text;
}

/** Somebody whom a backend has authenticated. */
export interface Identity {
  /** A stable identifier, unique within the backend: the DN of an LDAP entry, the `sub` claim of a token. */
  readonly subject: string;
  /** The name that access rules, `${username}` and the log use. */
  readonly username: string;
  /**
   * The groups that access rules name as `group:NAME`. A name that is a distinguished name of several components
   * (RFC 4514) is compared as one, however it is written; any other is compared as it is.
   */
  readonly groups: readonly string[];
  /**
   * Names that groups of theirs bear, but that may stand for other groups too. A rule that allows does not count them; one
   * that denies does.
   */
  readonly ambiguousGroups?: readonly string[];
  /**
   * Why there may be groups that are told nowhere here, in a few words for the log. Then a rule that allows counts `groups`
   * alone, and every rule that denies by a group holds, whichever it names.
   */
  readonly groupsIncomplete?: string;
  /**
   * How rules compare these names with theirs. `exact` by default: letter for letter. `folded`: as a directory does, where
   * case, compatibility forms of Unicode and repeated blanks make no other name (RFC 4518). It holds for groups, and in
   * rules that deny for the user's name as well.
   */
  readonly nameMatching?: NameMatching;
  /**
   * Changes whenever what this user signs in with changes, such as the password. Opaque, stable over restarts and replicas.
   * A token service compares it before it renews a login.
   *
   * A backend that cannot know leaves it out. It belongs neither in a log nor in anything that a user sees.
   */
  readonly revision?: string;
  /** The {@link AuthBackend.id} of the backend that says so. */
  readonly backend: string;
  /** What else the backend knows, such as an e-mail address. Never a secret: it may be logged. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Whether names that differ in case alone are two or one. */
export type NameMatching = "exact" | "folded";

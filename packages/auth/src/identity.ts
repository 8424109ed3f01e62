/** An authenticated user. */
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
   * Names of groups of the user that may also stand for other groups. Rules that allow ignore them; rules that deny
   * apply to them.
   */
  readonly ambiguousGroups?: readonly string[];
  /**
   * Why the user may have groups that are not listed here, in a few words for the log. Then a rule that allows counts
   * `groups` alone, and every rule that denies a group applies, whichever group it names.
   */
  readonly groupsIncomplete?: string;
  /**
   * How rules compare these names with theirs. `exact`, the default: letter for letter. `folded`: as a directory does,
   * without regard to case, compatibility forms of Unicode and repeated spaces (RFC 4518). It applies to groups, and in
   * rules that deny to the user name too.
   */
  readonly nameMatching?: NameMatching;
  /**
   * Changes whenever what this user signs in with changes, such as the password. Opaque, stable over restarts and replicas.
   * A token service compares it before it renews a login.
   *
   * A backend that cannot know leaves it out. It belongs neither in a log nor in anything that a user sees.
   */
  readonly revision?: string;
  /** The {@link AuthBackend.id} of the backend that authenticated the user. */
  readonly backend: string;
  /** Further attributes, such as an e-mail address. Never a secret: it may be logged. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Whether names are compared with regard to case (`exact`) or without (`folded`). */
export type NameMatching = "exact" | "folded";

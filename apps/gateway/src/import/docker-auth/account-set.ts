/** The accounts that an entry of an ACL matches. */
export type AccountSet =
  | { readonly kind: "everybody" }
  | { readonly kind: "signed-in" }
  | { readonly kind: "anonymous" }
  | { readonly kind: "users"; readonly names: readonly string[] };

/** The accounts of a configuration. */
export interface Accounts {
  /** Whether somebody without a login has one, the empty one. */
  readonly anonymous: boolean;
  /** All who can sign in; undefined where a directory or a service knows them. */
  readonly names: readonly string[] | undefined;
}

/**
 * Reads the pattern of an account: a pattern of Go's `path.Match`, or a regular expression between slashes.
 *
 * @param accounts Which accounts there are.
 * @returns `undefined` where our rules cannot say the same.
 */
export function readAccounts(pattern: string | undefined, accounts: Accounts): AccountSet | undefined {
  const everybody: AccountSet = { kind: accounts.anonymous ? "everybody" : "signed-in" };
  if (pattern === undefined) return everybody;
  if (pattern === "") return { kind: "anonymous" };
  const expression = /^\/(.+)\/$/.exec(pattern)?.[1];
  if (expression === undefined) {
    // A star matches no slash, so that it need not match every name.
    if (/^\*+$/.test(pattern) && accounts.names?.every((name) => !name.includes("/")) === true) return everybody;
    return /[*?[\]\\$]/.test(pattern) ? undefined : { kind: "users", names: [pattern] };
  }
  if (/^\^?\.\+\$?$/.test(expression)) return { kind: "signed-in" };
  if (/^\^?\.\*\$?$/.test(expression)) return everybody;
  const listed = /^\^\(?([\w@-]+(?:\|[\w@-]+)*)\)?\$$/.exec(expression)?.[1];
  const grouped = /^\^(?:\([^()]*\)|[^()|]*)\$$/.test(expression);
  return listed === undefined || !grouped ? undefined : { kind: "users", names: listed.split("|") };
}

/** Whether every account of the second is one of the first. */
export function includesAccounts(outer: AccountSet, inner: AccountSet): boolean {
  if (outer.kind === "everybody") return true;
  if (outer.kind === "signed-in") return inner.kind === "signed-in" || inner.kind === "users";
  if (outer.kind === "anonymous") return inner.kind === "anonymous";
  return inner.kind === "users" && inner.names.every((name) => outer.names.includes(name));
}

/** Whether an account may be one of both. */
export function sharesAccounts(one: AccountSet, other: AccountSet): boolean {
  if (one.kind === "everybody" || other.kind === "everybody") return true;
  if (one.kind === "anonymous" || other.kind === "anonymous") return one.kind === other.kind;
  if (one.kind === "users" && other.kind === "users") return one.names.some((name) => other.names.includes(name));
  return true;
}

/** The subjects of our rules; those without a login cannot be told from others. */
export function subjectsOf(set: AccountSet): readonly string[] {
  switch (set.kind) {
    case "everybody":
    case "anonymous":
      return ["anonymous"];
    case "signed-in":
      return ["authenticated"];
    case "users":
      return set.names.map((name) => `user:${name}`);
  }
}

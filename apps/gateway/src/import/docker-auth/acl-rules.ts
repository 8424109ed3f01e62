import type { ImportedRule } from "../imported.ts";
import { type AccountSet, type Accounts, includesAccounts, sharesAccounts, subjectsOf } from "./account-set.ts";
import { includesNames, sharesNames } from "./name-globs.ts";

/** An entry of an ACL. */
export interface AclEntry {
  readonly line: number;
  /** Whom it is for; everybody where that cannot be told. */
  readonly accounts: AccountSet;
  /** Which repositories it is for, as globs; all where that cannot be told. */
  readonly names: readonly string[];
  readonly actions: readonly string[];
  /** Why it is not carried over; what it may match is denied to later entries all the same. */
  readonly unclear?: string;
}

/** All that an action of `*` means. */
export const allActions: readonly string[] = ["pull", "push", "delete"];

interface Conversion {
  readonly rules: readonly ImportedRule[];
  readonly notes: readonly { readonly line: number; readonly reason: string }[];
}

interface Denial {
  readonly entry: AclEntry;
  readonly actions: readonly string[];
  readonly except: ReadonlySet<string>;
}

/**
 * Rules that decide as an ACL does. There the first entry that matches decides alone; rules add up. Of each entry, what
 * an earlier one decides is therefore taken out: by names where that is for the same accounts, else by a rule that denies.
 * An entry for which neither is exact is left out, and noted.
 */
export function rulesOfAcl(entries: readonly AclEntry[], accounts: Accounts): Conversion {
  const notes: { line: number; reason: string }[] = [];
  const allowing: ImportedRule[] = [];
  const denials: Denial[] = [];

  for (const [index, entry] of entries.entries()) {
    if (entry.unclear !== undefined) {
      notes.push({ line: entry.line, reason: entry.unclear });
      continue;
    }
    if (entry.actions.length === 0) continue;
    const made = ruleOf(entry, entries.slice(0, index));
    if (typeof made === "string") {
      notes.push({ line: entry.line, reason: made });
      continue;
    }
    if (made === undefined) continue;
    if (made.accounts.kind === "anonymous" && !signedInMayToo(entry, entries, accounts)) {
      const reason =
        "here a rule for anonymous is one for everybody, and by the other entries not all who sign in may do this";
      notes.push({ line: entry.line, reason });
      continue;
    }
    denials.push(...made.denials);
    allowing.push({
      subjects: subjectsOf(made.accounts),
      repositories: [...entry.names, ...[...made.except].map((glob) => `!${glob}`)],
      actions: actionsOf(entry.actions),
    });
  }
  return { rules: [...allowing, ...denyingRules(denials)], notes };
}

function denyingRules(denials: readonly Denial[]): readonly ImportedRule[] {
  const rules = new Map<string, ImportedRule>();
  for (const { entry, actions, except } of denials) {
    const subjects = subjectsOf(entry.accounts);
    const repositories = [...entry.names, ...[...except].map((glob) => `!${glob}`)];
    const key = JSON.stringify([subjects, repositories]);
    const all = [...(rules.get(key)?.actions ?? []), ...actions];
    const denied = all.includes("*") ? ["*"] : actionsOf(allActions.filter((action) => all.includes(action)));
    rules.set(key, { effect: "deny", subjects, repositories, actions: denied });
  }
  return [...rules.values()];
}

interface Made {
  readonly accounts: AccountSet;
  readonly except: ReadonlySet<string>;
  readonly denials: readonly Denial[];
}

/** @returns `undefined` where earlier entries decide everything, and the reason where it cannot be carried over. */
function ruleOf(entry: AclEntry, earlier: readonly AclEntry[]): Made | string | undefined {
  let { accounts } = entry;
  const except = new Set<string>();
  const denials: Denial[] = [];
  for (const [index, before] of earlier.entries()) {
    const excess = entry.actions.filter((action) => !before.actions.includes(action));
    const meet = sharesAccounts(before.accounts, accounts) && sharesNames(before.names, entry.names);
    if (excess.length === 0 || !meet) continue;
    const coversNames = includesNames(before.names, entry.names);
    if (includesAccounts(before.accounts, accounts)) {
      if (coversNames) return before.unclear === undefined ? undefined : `line ${before.line} may decide before it`;
      for (const glob of before.names) except.add(glob);
    } else if (before.accounts.kind === "anonymous") {
      if (!coversNames)
        return `line ${before.line} decides for those without a login, of whom no rule is for them alone`;
      accounts = { kind: "signed-in" };
    } else {
      const denial = denialOf(before, excess, earlier.slice(0, index));
      if (denial === undefined) return `line ${before.line} decides before it for some, which no rule says exactly`;
      denials.push(denial);
    }
  }
  return { accounts, except, denials };
}

/** What an entry does not allow, denied to whom it is for, unless a still earlier entry decides. */
function denialOf(entry: AclEntry, actions: readonly string[], earlier: readonly AclEntry[]): Denial | undefined {
  const except = new Set<string>();
  for (const before of earlier) {
    const allowed = actions.some((action) => before.actions.includes(action));
    const meet = sharesAccounts(before.accounts, entry.accounts) && sharesNames(before.names, entry.names);
    // What an unclear entry would allow is left out anyway.
    if (!allowed || !meet || before.unclear !== undefined) continue;
    if (!includesAccounts(before.accounts, entry.accounts)) return undefined;
    for (const glob of before.names) except.add(glob);
  }
  return { entry, actions, except };
}

/** Whether everybody who signs in may do what an entry allows to those who do not. */
function signedInMayToo(entry: AclEntry, entries: readonly AclEntry[], { names }: Accounts): boolean {
  const sets: readonly AccountSet[] =
    names === undefined ? [{ kind: "signed-in" }] : names.map((name) => ({ kind: "users", names: [name] }));
  return sets.every((set) => {
    const deciding = entries.filter(
      (other) => sharesAccounts(other.accounts, set) && sharesNames(other.names, entry.names),
    );
    const sure = deciding.findIndex(
      (other) =>
        other.unclear === undefined && includesAccounts(other.accounts, set) && includesNames(other.names, entry.names),
    );
    const upTo = deciding.slice(0, sure + 1);
    return sure >= 0 && upTo.every((other) => entry.actions.every((action) => other.actions.includes(action)));
  });
}

function actionsOf(actions: readonly string[]): readonly string[] {
  return allActions.every((action) => actions.includes(action)) ? ["*"] : actions;
}

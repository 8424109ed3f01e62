import type { Access, Action, Principal } from "@registry-gate/auth";
import type { AccessRule } from "../options/options.ts";
import { compileGlob } from "./glob.ts";
import { type GlobSet, globSet } from "./glob-set.ts";
import { nearMissOf } from "./near-miss.ts";
import { usernameOf } from "./principal.ts";
import { compileWildcard, type Wildcard } from "./wildcard.ts";

/** A compiled rule of `access`. */
export interface CompiledRule {
  readonly index: number;
  readonly effect: "allow" | "deny";
  /** As written in the rule. */
  readonly subjects: readonly string[];
  readonly included: GlobSet;
  readonly excluded: GlobSet;
  readonly actions: ReadonlySet<Action>;
  readonly immutableTags: readonly Wildcard[];
  /** As written in the rule. */
  readonly immutablePatterns: readonly string[];
}

/** Whether a rule applies to an access, or which part of it does not match. */
export type Judgement = "applies" | "action" | "subject" | "repository" | "excluded";

export function compileRule(rule: AccessRule, index: number): CompiledRule {
  const globs = rule.repositories.map(compileGlob);
  const immutablePatterns = rule.immutableTags ?? [];
  return {
    index,
    // Anything but an explicit allow denies.
    effect: (rule.effect ?? "allow") === "allow" ? "allow" : "deny",
    subjects: [...rule.subjects],
    included: globSet(globs.filter((glob) => !glob.negative)),
    excluded: globSet(globs.filter((glob) => glob.negative)),
    actions: new Set(rule.actions),
    immutableTags: immutablePatterns.map(compileWildcard),
    immutablePatterns,
  };
}

/**
 * Evaluates whether a rule, allowing or denying, applies to an access.
 *
 * @param concerned Whether the principal is one of its subjects.
 */
export function judge(rule: CompiledRule, concerned: boolean, principal: Principal, access: Access): Judgement {
  if (!covers(rule, access.action)) return "action";
  if (!concerned) return "subject";
  if (access.type !== "repository") return "repository";
  const username = usernameOf(principal);
  if (!rule.included.matches(access.name, username)) return "repository";
  return rule.excluded.matches(access.name, username) ? "excluded" : "applies";
}

/** `*` requests all actions: a rule allows it with all of them, and denies it with any. */
export function covers({ effect, actions }: CompiledRule, action: Action): boolean {
  return actions.has("*") || actions.has(action) || (effect === "deny" && action === "*");
}

/**
 * Explains an evaluation in one line, for the author of the rule.
 *
 * @param groupsUnknown Whether the user may have groups that the identity does not list.
 */
export function reasonOf(
  rule: CompiledRule,
  judgement: Judgement,
  principal: Principal,
  { action, name }: Access,
  groupsUnknown: boolean,
): string {
  switch (judgement) {
    case "applies":
      return rule.effect === "deny"
        ? `denies ${action} on ${name}`
        : `allows ${action} on ${name}${limitOf(rule, action)}`;
    case "action":
      return `its actions do not include ${action}`;
    case "subject":
      return `its subjects do not include ${describe(principal, groupsUnknown)}${nearMiss(rule, principal)}`;
    case "repository":
      return `its repositories do not include ${name}`;
    case "excluded":
      return `one of its repositories beginning with ! excludes ${name}`;
  }
}

function limitOf({ immutablePatterns }: CompiledRule, action: Action): string {
  if (immutablePatterns.length === 0 || action === "pull") return "";
  const tags = immutablePatterns.join(", ");
  if (action === "push") return `, but does not overwrite the tags ${tags}`;
  if (action === "delete") return `, but not of what the tags ${tags} refer to`;
  return `, but neither overwrites nor deletes the tags ${tags}`;
}

function nearMiss({ subjects }: CompiledRule, principal: Principal): string {
  if (principal.kind !== "user") return "";
  const { username, groups } = principal.identity;
  const subject = nearMissOf(subjects, principal.identity);
  if (subject === undefined) return "";
  const lowerCase = (text: string): string => text.normalize("NFC").toLowerCase();
  const own = [`user:${username}`, ...groups.map((group) => `group:${group}`)].map(lowerCase);
  if (own.includes(lowerCase(subject))) return `; ${subject} differs by case alone`;
  // Quotes make leading and trailing spaces visible.
  return `; ${JSON.stringify(subject)} differs by spaces or Unicode forms alone`;
}

function describe(principal: Principal, groupsUnknown: boolean): string {
  if (principal.kind !== "user") return "an anonymous caller";
  const { username, groups, groupsIncomplete } = principal.identity;
  if (groupsIncomplete !== undefined) return `${username}, whose groups are not all known: ${groupsIncomplete}`;
  if (groupsUnknown && groups.length === 0) return `${username}, whose groups are not known`;
  return groups.length === 0 ? `${username}, who is in no group` : `${username} or the groups ${groups.join(", ")}`;
}

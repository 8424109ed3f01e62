import type { Fault } from "@registry-gate/auth";
import type { AccessRule } from "../options/options.ts";
import { compileGlob, impossibleSegment } from "./glob.ts";

type SingleAction = "pull" | "push" | "delete";

const everyAction: readonly SingleAction[] = ["pull", "push", "delete"];

/**
 * Finds rules that are valid but surely a mistake: that never have an effect, undo another, or deny more than they seem
 * to. Paths start at the list of rules.
 */
export function warnOfAccess(rules: readonly AccessRule[]): Fault[] {
  return rules.flatMap((rule, index) =>
    [
      ...warnOfPatterns(rule),
      ...(rule.effect === "deny" ? warnOfDenial(rule, rules) : warnOfAllowance(rule, index, rules)),
    ].map(({ path, message }) => ({ path: [index, ...path], message })),
  );
}

function warnOfPatterns(rule: AccessRule): Fault[] {
  const warnings: Fault[] = [];
  const onlyAnonymous = rule.subjects.every((subject) => subject === "anonymous");
  const globs = rule.repositories.map((pattern) => ({ pattern, glob: compileGlob(pattern) }));
  const excluded = globs.filter(({ glob }) => glob.negative);
  if (excluded.length === globs.length) {
    const message = "can never match: it only excludes; add a pattern to exclude from, such as **";
    warnings.push({ path: ["repositories"], message });
  }
  for (const [position, { pattern, glob }] of globs.entries()) {
    const path = ["repositories", position];
    const impossible = impossibleSegment(pattern);
    if (impossible !== undefined) {
      const message = `can never match: ${impossible} cannot be part of a repository's name, which is lower-case`;
      warnings.push({ path, message });
    }
    if (glob.negative) continue;
    if (onlyAnonymous && pattern.includes("${username}")) {
      const message = "can never match an anonymous caller, who has no ${username}; name authenticated instead";
      warnings.push({ path, message });
    }
    const exclusion = excluded.find(({ pattern: other }) => other === `!${pattern}` || other === "!**");
    if (exclusion !== undefined) warnings.push({ path, message: `can never match: ${exclusion.pattern} excludes it` });
  }
  return warnings;
}

function warnOfDenial(rule: AccessRule, rules: readonly AccessRule[]): Fault[] {
  const denied = actionsOf(rule);
  const allowed = new Set(rules.filter(({ effect }) => effect !== "deny").flatMap(actionsOf));
  if (!denied.some((action) => allowed.has(action))) {
    return [{ path: ["actions"], message: `has no effect: no rule allows ${denied.join(" or ")}` }];
  }
  if (isAboutEverybody(rule) && isAboutEverything(rule) && denied.length === everyAction.length) {
    return [{ path: [], message: "denies everybody everything" }];
  }
  if (isAboutEverybody(rule) && !rule.subjects.includes("authenticated")) {
    const message =
      "denies it to signed-in users too: anonymous is anybody; write [anonymous, authenticated] where that is meant";
    return [{ path: ["subjects"], message }];
  }
  return [];
}

function warnOfAllowance(rule: AccessRule, index: number, rules: readonly AccessRule[]): Fault[] {
  const warnings: Fault[] = [];
  const actions = actionsOf(rule);
  if (rule.immutableTags !== undefined && !actions.some((action) => action !== "pull")) {
    const message = "has no effect: the rule allows neither push nor delete";
    warnings.push({ path: ["immutableTags"], message });
  }
  const denying = rules.findIndex(
    (other) =>
      other.effect === "deny" &&
      isAboutEverybody(other) &&
      isAboutEverything(other) &&
      actions.every((action) => actionsOf(other).includes(action)),
  );
  if (denying !== -1) warnings.push({ path: [], message: `allows nothing: access[${denying}] denies it to everybody` });
  for (const action of actions.filter((action) => action !== "pull")) {
    const undone = rules.findIndex((other, at) => at !== index && lifts(rule, other, action));
    if (undone === -1) continue;
    const how = action === "push" ? "overwritten" : "deleted, and pushed anew";
    const message = `allows ${action} without the immutableTags of access[${undone}]: those tags can be ${how}`;
    warnings.push({ path: ["actions"], message });
  }
  return warnings;
}

/**
 * Whether a rule lets users that another rule allows to push, in the same repositories, change the tags that the other
 * one protects.
 */
function lifts(rule: AccessRule, other: AccessRule, action: "push" | "delete"): boolean {
  const { immutableTags: own = [] } = rule;
  const { immutableTags: protectedTags = [] } = other;
  return (
    other.effect !== "deny" &&
    actionsOf(rule).includes(action) &&
    actionsOf(other).includes("push") &&
    protectedTags.some((pattern) => !own.includes(pattern) && !own.includes("*")) &&
    other.subjects.some((subject) => includesSubject(rule, subject)) &&
    other.repositories.some((pattern) => !pattern.startsWith("!") && includesPattern(rule, pattern))
  );
}

function includesSubject({ subjects }: AccessRule, subject: string): boolean {
  return (
    subjects.includes(subject) ||
    subjects.includes("anonymous") ||
    (subjects.includes("authenticated") && subject !== "anonymous")
  );
}

function includesPattern({ repositories }: AccessRule, pattern: string): boolean {
  return repositories.includes(pattern) || repositories.includes("**");
}

/** The actions of `*`, without duplicates. */
function actionsOf({ actions }: AccessRule): readonly SingleAction[] {
  return everyAction.filter((action) => actions.includes("*") || actions.includes(action));
}

function isAboutEverybody({ subjects }: AccessRule): boolean {
  return subjects.includes("anonymous");
}

function isAboutEverything({ repositories }: AccessRule): boolean {
  return repositories.includes("**") && repositories.every((pattern) => !pattern.startsWith("!"));
}

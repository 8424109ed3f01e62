import type { Fault } from "@registry-gate/auth";
import { atOnce, type Steps } from "@registry-gate/auth-kit";
import type { AccessRule } from "../options/options.ts";
import { compileGlob, impossibleSegment } from "./glob.ts";

type SingleAction = "pull" | "push" | "delete";

const everyAction: readonly SingleAction[] = ["pull", "push", "delete"];

/**
 * Finds rules that are valid but surely a mistake: that never have an effect, undo another, or deny more than they seem
 * to. Paths start at the list of rules.
 */
export function warnOfAccess(rules: readonly AccessRule[]): Fault[] {
  return atOnce(accessWarnings(rules));
}

/** The same, in a step for each rule. */
export function* accessWarnings(rules: readonly AccessRule[]): Steps<Fault[]> {
  const whole: WholeList = {
    allowed: new Set(rules.filter(({ effect }) => effect !== "deny").flatMap(actionsOf)),
    denyingAll: [...rules.entries()].filter(
      ([, rule]) => rule.effect === "deny" && isAboutEverybody(rule) && isAboutEverything(rule),
    ),
    protecting: yield* protectingRules(rules),
  };
  const warnings: Fault[] = [];
  for (const [index, rule] of rules.entries()) {
    yield;
    const found = [
      ...warnOfPatterns(rule),
      ...(rule.effect === "deny" ? warnOfDenial(rule, whole) : warnOfAllowance(rule, index, whole)),
    ];
    for (const { path, message } of found) warnings.push({ path: [index, ...path], message });
  }
  return warnings;
}

/** What is known of all the rules together. */
interface WholeList {
  readonly allowed: ReadonlySet<SingleAction>;
  /** Those that deny something to everybody, everywhere, with their indexes. */
  readonly denyingAll: readonly Indexed[];
  readonly protecting: ProtectingRules;
}

type Indexed = readonly [number, AccessRule];

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

function warnOfDenial(rule: AccessRule, { allowed }: WholeList): Fault[] {
  const denied = actionsOf(rule);
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

function warnOfAllowance(rule: AccessRule, index: number, { denyingAll, protecting }: WholeList): Fault[] {
  const warnings: Fault[] = [];
  const actions = actionsOf(rule);
  if (rule.immutableTags !== undefined && !actions.some((action) => action !== "pull")) {
    const message = "has no effect: the rule allows neither push nor delete";
    warnings.push({ path: ["immutableTags"], message });
  }
  const denying = denyingAll.find(([, other]) => actions.every((action) => actionsOf(other).includes(action)));
  if (denying !== undefined) {
    warnings.push({ path: [], message: `allows nothing: access[${denying[0]}] denies it to everybody` });
  }
  for (const action of actions.filter((action) => action !== "pull")) {
    const undone = protecting.concerning(rule).find(([at, other]) => at !== index && lifts(rule, other));
    if (undone === undefined) continue;
    const how = action === "push" ? "overwritten" : "deleted, and pushed anew";
    const message = `allows ${action} without the immutableTags of access[${undone[0]}]: those tags can be ${how}`;
    warnings.push({ path: ["actions"], message });
  }
  return warnings;
}

/** Rules that allow to push, and protect tags. */
interface ProtectingRules {
  /** At least those that are about repositories that a rule names as well, in their order. */
  concerning(rule: AccessRule): readonly Indexed[];
}

function* protectingRules(rules: readonly AccessRule[]): Steps<ProtectingRules> {
  const all: Indexed[] = [];
  const byPattern = new Map<string, Indexed[]>();
  for (const [index, rule] of rules.entries()) {
    yield;
    const { effect, immutableTags = [], repositories } = rule;
    if (effect === "deny" || immutableTags.length === 0 || !actionsOf(rule).includes("push")) continue;
    all.push([index, rule]);
    for (const pattern of new Set(repositories)) {
      const known = byPattern.get(pattern);
      if (known === undefined) byPattern.set(pattern, [[index, rule]]);
      else known.push([index, rule]);
    }
  }
  return {
    concerning({ repositories }) {
      if (repositories.includes("**")) return all;
      const found = new Map(repositories.flatMap((pattern) => byPattern.get(pattern) ?? []));
      return [...found].sort(([one], [other]) => one - other);
    },
  };
}

/**
 * Whether a rule lets users that another rule, which protects tags, allows to push in the same repositories, change those
 * tags.
 */
function lifts(rule: AccessRule, { immutableTags: protectedTags = [], subjects, repositories }: AccessRule): boolean {
  const { immutableTags: own = [] } = rule;
  return (
    protectedTags.some((pattern) => !own.includes(pattern) && !own.includes("*")) &&
    subjects.some((subject) => includesSubject(rule, subject)) &&
    repositories.some((pattern) => !pattern.startsWith("!") && includesPattern(rule, pattern))
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

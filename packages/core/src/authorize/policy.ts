import type { Access, Action } from "@registry-gate/auth";
import type { AccessRule } from "../options.ts";
import { compileGlob, type Glob } from "./glob.ts";
import { comparableGroup, comparableGroups } from "./group-name.ts";
import { type Principal, usernameOf } from "./principal.ts";
import { compileWildcard, matchWildcard, type Wildcard } from "./wildcard.ts";

/** Decides what a principal may do. */
export interface Policy {
  decide(principal: Principal, access: Access): PolicyDecision;
  /** Whether a push that is allowed may overwrite the tag too, should it exist. */
  mayOverwrite(principal: Principal, repository: string, tag: string): boolean;
  /** What every rule has to say, in their order. Without rules, what stands in their place. */
  explain(principal: Principal, access: Access): readonly RuleVerdict[];
  /**
   * How far the principal's permission for `action` reaches: `everything` where no list needs to be filtered, `nothing`
   * where no rule could allow it on any repository.
   */
  reach(principal: Principal, action: Action): "everything" | "something" | "nothing";
}

export type PolicyDecision =
  /** The index of the first rule that allows it; `undefined` where there are no rules. */
  { readonly allowed: true; readonly rule: number | undefined } | { readonly allowed: false };

/** Why a rule does, or does not, allow an access. */
export interface RuleVerdict {
  /** The index of the rule; `undefined` where there are no rules. */
  readonly rule: number | undefined;
  readonly allows: boolean;
  /** In one line, for whoever wrote the rule. */
  readonly reason: string;
}

type Judgement = "allows" | "action" | "subject" | "repository" | "taken";

interface CompiledRule {
  readonly index: number;
  readonly anybody: boolean;
  readonly authenticated: boolean;
  readonly users: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  readonly adds: readonly Glob[];
  readonly takes: readonly Glob[];
  readonly actions: ReadonlySet<Action>;
  readonly immutableTags: readonly Wildcard[];
}

/**
 * Compiles rules that `validateAccess` finds nothing wrong with. Without rules, whoever is authenticated may pull and
 * push.
 */
export function compilePolicy(rules: readonly AccessRule[] | undefined): Policy {
  return rules === undefined ? openPolicy : rulePolicy(rules.map(compileRule));
}

const openPolicy: Policy = {
  decide: (principal, { action }) =>
    openPolicy.reach(principal, action) === "everything" ? { allowed: true, rule: undefined } : { allowed: false },
  mayOverwrite: (principal) => openPolicy.reach(principal, "push") === "everything",
  explain: (principal, access) => {
    const { allowed } = openPolicy.decide(principal, access);
    const reason = "without access rules, whoever is authenticated may pull and push";
    return [{ rule: undefined, allows: allowed, reason }];
  },
  reach: (principal, action) =>
    principal !== "anonymous" && (action === "pull" || action === "push") ? "everything" : "nothing",
};

function rulePolicy(rules: readonly CompiledRule[]): Policy {
  return {
    decide(principal, access) {
      const allowing = rules.find((rule) => judge(rule, principal, access) === "allows");
      return allowing === undefined ? { allowed: false } : { allowed: true, rule: allowing.index };
    },
    mayOverwrite(principal, repository, tag) {
      const push: Access = { type: "repository", name: repository, action: "push" };
      return rules.some(
        (rule) =>
          judge(rule, principal, push) === "allows" &&
          !rule.immutableTags.some((pattern) => matchWildcard(pattern, tag)),
      );
    },
    explain: (principal, access) =>
      rules.map((rule) => {
        const judgement = judge(rule, principal, access);
        const reason = reasons[judgement](access, principal);
        return { rule: rule.index, allows: judgement === "allows", reason };
      }),
    reach(principal, action) {
      const applying = rules.filter((rule) => covers(rule.actions, action) && appliesTo(rule, principal));
      if (applying.some((rule) => rule.takes.length === 0 && rule.adds.some((glob) => glob.everything))) {
        return "everything";
      }
      return applying.some((rule) => rule.adds.length > 0) ? "something" : "nothing";
    },
  };
}

function judge(rule: CompiledRule, principal: Principal, access: Access): Judgement {
  if (!covers(rule.actions, access.action)) return "action";
  if (!appliesTo(rule, principal)) return "subject";
  if (access.type !== "repository") return "repository";
  const username = usernameOf(principal);
  if (!rule.adds.some((glob) => glob.matches(access.name, username))) return "repository";
  return rule.takes.some((glob) => glob.matches(access.name, username)) ? "taken" : "allows";
}

const reasons: Readonly<Record<Judgement, (access: Access, principal: Principal) => string>> = {
  allows: ({ action, name }) => `allows ${action} on ${name}`,
  action: ({ action }) => `its actions do not include ${action}`,
  subject: (_, principal) => `its subjects do not include ${describe(principal)}`,
  repository: ({ name }) => `its repositories do not include ${name}`,
  taken: ({ name }) => `one of its repositories beginning with ! takes ${name} away`,
};

function describe(principal: Principal): string {
  if (principal === "anonymous") return "an anonymous caller";
  const { username, groups } = principal.identity;
  return groups.length === 0 ? `${username}, who is in no group` : `${username} or the groups ${groups.join(", ")}`;
}

function compileRule(rule: AccessRule, index: number): CompiledRule {
  const named = (kind: string): readonly string[] =>
    rule.subjects.filter((subject) => subject.startsWith(kind)).map((subject) => subject.slice(kind.length));
  const globs = rule.repositories.map(compileGlob);
  return {
    index,
    anybody: rule.subjects.includes("anonymous"),
    authenticated: rule.subjects.includes("authenticated"),
    users: new Set(named("user:").map((name) => name.normalize("NFC"))),
    groups: new Set(named("group:").map(comparableGroup)),
    adds: globs.filter((glob) => !glob.negative),
    takes: globs.filter((glob) => glob.negative),
    actions: new Set(rule.actions),
    immutableTags: (rule.immutableTags ?? []).map(compileWildcard),
  };
}

function covers(actions: ReadonlySet<Action>, action: Action): boolean {
  return actions.has("*") || actions.has(action);
}

function appliesTo(rule: CompiledRule, principal: Principal): boolean {
  if (rule.anybody) return true;
  if (principal === "anonymous") return false;
  const { identity } = principal;
  return (
    rule.authenticated ||
    rule.users.has(identity.username) ||
    (rule.groups.size > 0 && comparableGroups(identity).some((group) => rule.groups.has(group)))
  );
}

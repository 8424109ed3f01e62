import type { Access, Action, Principal } from "@registry-gate/auth";
import type { Steps } from "@registry-gate/auth-kit";
import type { AccessRule } from "../options/options.ts";
import { type CompiledRule, compileRule, judge, reasonOf } from "./compiled-rule.ts";
import { usernameOf } from "./principal.ts";
import type { RuleIndex } from "./rule-index.ts";
import { type SubjectIndex, subjectIndex } from "./subject-index.ts";
import { matchWildcard } from "./wildcard.ts";

/** Decides what a principal may do: what the rules allow, limited to the grants of the login. */
export interface Policy {
  /** Whether a rule allows the access and none denies it. */
  decide(principal: Principal, access: Access): PolicyDecision;
  /**
   * The tags that an allowed action must not change: those that are immutable by every rule that allows it. `undefined`
   * where there are none.
   */
  immutableTags(principal: Principal, repository: string, action: "push" | "delete"): ImmutableTags | undefined;
  /**
   * The evaluation of every rule, in order. Without rules, that of the default. Grants that do not include the access
   * have an entry of their own, the last one.
   */
  explain(principal: Principal, access: Access, knowledge?: Knowledge): readonly RuleVerdict[];
  /**
   * How many repositories the principal may access with `action`: `everything` where no list needs to be filtered,
   * `nothing` where no repository can be allowed.
   */
  reach(principal: Principal, action: Action): "everything" | "something" | "nothing";
}

/** What is known about the user of an explanation. */
export interface Knowledge {
  /** Whether the user may have groups that the identity does not list. */
  readonly groupsUnknown?: boolean;
}

/** Whether a tag is immutable. */
export type ImmutableTags = (tag: string) => boolean;

/** The result of {@link Policy.decide}, and the rule that caused it. */
export type PolicyDecision =
  /** The index of the first rule that allows it; `undefined` where there are no rules. */
  | { readonly allowed: true; readonly rule: number | undefined }
  | {
      readonly allowed: false;
      /** The index of the first rule that denies it; `undefined` where no rule does. */
      readonly rule: number | undefined;
      /** The rules allow it, but the caller's grants do not include it. */
      readonly beyondGrants?: true;
    };

/** Why a rule does or does not apply to an access. */
export interface RuleVerdict {
  /** The index of the rule; `undefined` for the default and for grants. */
  readonly rule: number | undefined;
  readonly allows: boolean;
  /** Whether it overrides every rule that allows. */
  readonly denies: boolean;
  /** One line for the author of the rule. */
  readonly reason: string;
}

/** Decides by rules alone, without grants. Without rules, authenticated users can pull and push. */
export function* compileRules(rules: readonly AccessRule[] | undefined): Steps<Policy> {
  if (rules === undefined) return openPolicy;
  const compiled: CompiledRule[] = [];
  for (const [index, rule] of rules.entries()) {
    yield;
    compiled.push(compileRule(rule, index));
  }
  const withEffect = (wanted: "allow" | "deny"): readonly CompiledRule[] =>
    compiled.filter(({ effect }) => effect === wanted);
  const denying = yield* subjectIndex(withEffect("deny"), "deny");
  const allowing = yield* subjectIndex(withEffect("allow"), "allow");
  return rulePolicy(compiled, denying, allowing);
}

const openPolicy: Policy = {
  decide: (principal, { action }) => ({
    allowed: openPolicy.reach(principal, action) === "everything",
    rule: undefined,
  }),
  immutableTags: () => undefined,
  explain: (principal, access) => {
    const { allowed } = openPolicy.decide(principal, access);
    const reason = "without access rules, authenticated users can pull and push";
    return [{ rule: undefined, allows: allowed, denies: false, reason }];
  },
  reach: (principal, action) =>
    principal.kind === "user" && (action === "pull" || action === "push") ? "everything" : "nothing",
};

function rulePolicy(rules: readonly CompiledRule[], denying: SubjectIndex, allowing: SubjectIndex): Policy {
  /** The first rule that applies. */
  function first(indexes: readonly RuleIndex[], principal: Principal, access: Access): CompiledRule | undefined {
    if (access.type !== "repository") return undefined;
    const username = usernameOf(principal);
    let found: CompiledRule | undefined;
    for (const index of indexes) found = index.first(access, username, found);
    return found;
  }

  return {
    decide(principal, access) {
      const denies = first(denying.of(principal), principal, access);
      if (denies !== undefined) return { allowed: false, rule: denies.index };
      const allows = first(allowing.of(principal), principal, access);
      return allows === undefined ? { allowed: false, rule: undefined } : { allowed: true, rule: allows.index };
    },
    immutableTags(principal, name, action) {
      const access: Access = { type: "repository", name, action };
      const username = usernameOf(principal);
      const limits = allowing
        .of(principal)
        .flatMap((index) => index.all(access, username).map((rule) => rule.immutableTags));
      if (limits.length === 0 || limits.some((patterns) => patterns.length === 0)) return undefined;
      return (tag) => limits.every((patterns) => patterns.some((pattern) => matchWildcard(pattern, tag)));
    },
    explain(principal, access, { groupsUnknown = false } = {}) {
      const concerned = new Set([...denying.of(principal), ...allowing.of(principal)].flatMap((index) => index.rules));
      return rules.map((rule) => {
        const { index, effect } = rule;
        const judgement = judge(rule, concerned.has(rule), principal, access);
        const applies = judgement === "applies";
        return {
          rule: index,
          allows: applies && effect === "allow",
          denies: applies && effect === "deny",
          reason: reasonOf(rule, judgement, principal, access, groupsUnknown),
        };
      });
    },
    reach(principal, action) {
      const denied = denying.of(principal).map((index) => index.about(action));
      const allowed = allowing.of(principal).map((index) => index.about(action));
      if (denied.some(({ everything }) => everything) || !allowed.some(({ something }) => something)) return "nothing";
      return allowed.some(({ everything }) => everything) && !denied.some(({ something }) => something)
        ? "everything"
        : "something";
    },
  };
}

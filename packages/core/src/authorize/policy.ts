import type { Access, Action, Principal } from "@registry-gate/auth";
import type { AccessRule } from "../options/options.ts";
import { appliesTo, type CompiledRule, compileRule, covers, judge, reasonOf } from "./compiled-rule.ts";
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
export function compileRules(rules: readonly AccessRule[] | undefined): Policy {
  return rules === undefined ? openPolicy : rulePolicy(rules.map(compileRule));
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

function rulePolicy(rules: readonly CompiledRule[]): Policy {
  const allowing = rules.filter(({ effect }) => effect === "allow");
  const denying = rules.filter(({ effect }) => effect === "deny");
  const applies = (rule: CompiledRule, principal: Principal, access: Access): boolean =>
    judge(rule, principal, access) === "applies";

  return {
    decide(principal, access) {
      const denies = denying.find((rule) => applies(rule, principal, access));
      if (denies !== undefined) return { allowed: false, rule: denies.index };
      const allows = allowing.find((rule) => applies(rule, principal, access));
      return allows === undefined ? { allowed: false, rule: undefined } : { allowed: true, rule: allows.index };
    },
    immutableTags(principal, name, action) {
      const access: Access = { type: "repository", name, action };
      const limits = allowing.filter((rule) => applies(rule, principal, access)).map((rule) => rule.immutableTags);
      if (limits.length === 0 || limits.some((patterns) => patterns.length === 0)) return undefined;
      return (tag) => limits.every((patterns) => patterns.some((pattern) => matchWildcard(pattern, tag)));
    },
    explain: (principal, access, { groupsUnknown = false } = {}) =>
      rules.map((rule) => {
        const { index, effect } = rule;
        const judgement = judge(rule, principal, access);
        const applies = judgement === "applies";
        return {
          rule: index,
          allows: applies && effect === "allow",
          denies: applies && effect === "deny",
          reason: reasonOf(rule, judgement, principal, access, groupsUnknown),
        };
      }),
    reach(principal, action) {
      const concerns = (rule: CompiledRule): boolean => covers(rule, action) && appliesTo(rule, principal);
      const denied = denying.filter(concerns);
      const allowed = allowing.filter(concerns);
      if (denied.some(isAboutEverything) || !allowed.some(isAboutSomething)) return "nothing";
      return allowed.some(isAboutEverything) && !denied.some(isAboutSomething) ? "everything" : "something";
    },
  };
}

function isAboutEverything({ included, excluded }: CompiledRule): boolean {
  return excluded.length === 0 && included.some((glob) => glob.everything);
}

/** Without an including pattern, there is nothing to exclude from. */
function isAboutSomething({ included }: CompiledRule): boolean {
  return included.length > 0;
}

import { grantsOf } from "./grants.ts";
import type { Policy } from "./policy.ts";

/**
 * Limits a policy to the grants of the caller. It never allows anything that the policy denies.
 *
 * @param rules Decides by rules alone.
 */
export function limitByGrants(rules: Policy): Policy {
  return {
    decide(principal, access) {
      const decision = rules.decide(principal, access);
      if (!decision.allowed || grantsOf(principal)?.include(access) !== false) return decision;
      return { allowed: false, rule: undefined, beyondGrants: true };
    },
    immutableTags: (principal, repository, action) => rules.immutableTags(principal, repository, action),
    explain(principal, access, knowledge) {
      const verdicts = rules.explain(principal, access, knowledge);
      if (grantsOf(principal)?.include(access) !== false) return verdicts;
      const reason = `the login's grants do not include ${access.action} on ${access.name}`;
      return [...verdicts, { rule: undefined, allows: false, denies: true, reason }];
    },
    reach(principal, action) {
      return leastReach(rules.reach(principal, action), grantsOf(principal)?.reach(action) ?? "everything");
    },
  };
}

type Reach = ReturnType<Policy["reach"]>;

function leastReach(one: Reach, other: Reach): Reach {
  if (one === "nothing" || other === "nothing") return "nothing";
  return one === "everything" && other === "everything" ? "everything" : "something";
}

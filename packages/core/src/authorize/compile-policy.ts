import { atOnce, type Steps } from "@registry-gate/auth-kit";
import type { AccessRule } from "../options/options.ts";
import { limitByGrants } from "./limit-by-grants.ts";
import { compileRules, type Policy } from "./policy.ts";
import { preparedOf } from "./prepared-access.ts";

/** Compiles validated rules. Without rules, authenticated users can pull and push. */
export function compilePolicy(rules: readonly AccessRule[] | undefined): Policy {
  return (rules && preparedOf(rules))?.policy ?? atOnce(compileSteps(rules));
}

/** The same, in steps. */
export function* compileSteps(rules: readonly AccessRule[] | undefined): Steps<Policy> {
  return limitByGrants(yield* compileRules(rules));
}

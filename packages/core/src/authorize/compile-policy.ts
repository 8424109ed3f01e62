import type { AccessRule } from "../options/options.ts";
import { limitByGrants } from "./limit-by-grants.ts";
import { compileRules, type Policy } from "./policy.ts";

/** Compiles validated rules. Without rules, authenticated users can pull and push. */
export function compilePolicy(rules: readonly AccessRule[] | undefined): Policy {
  return limitByGrants(compileRules(rules));
}

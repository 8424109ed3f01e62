import type { AccessRule } from "../options/options.ts";
import type { RuleVerdict } from "./policy.ts";

/**
 * Picks from an explanation what somebody needs to read. Where something allows or denies the access, the rest is of no interest;
 * nor is a rule that would only deny something else.
 *
 * @param verdicts Of {@link Policy.explain}.
 * @param rules Those that the policy was made of.
 */
export function decidingVerdicts(
  verdicts: readonly RuleVerdict[],
  rules: readonly AccessRule[],
): readonly RuleVerdict[] {
  const deciding = verdicts.filter(({ allows, denies }) => allows || denies);
  if (deciding.length > 0) return deciding;
  return verdicts.filter(({ rule }) => rule === undefined || rules[rule]?.effect !== "deny");
}

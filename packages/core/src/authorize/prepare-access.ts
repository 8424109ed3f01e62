import { inTurns, parseOptions, type Steps } from "@registry-gate/auth-kit";
import type { AccessRule } from "../options/options.ts";
import { accessRuleSchema, accessSchema } from "./access-schema.ts";
import { compileSteps } from "./compile-policy.ts";
import { isPrepared, keepPrepared } from "./prepared-access.ts";
import { accessWarnings } from "./warn-of-access.ts";

/**
 * Checks and compiles rules of access in turns, so that a process that handles requests meanwhile is not held up, however
 * many they are.
 *
 * @returns a frozen copy, for the option `access` of `registryProxy`, `compilePolicy` and `validateOptions`, which do not
 * check and compile it again.
 * @throws {InvalidOptionsError} with every fault in the rules; its paths start at their list.
 */
export function prepareAccess(rules: readonly AccessRule[]): Promise<readonly AccessRule[]> {
  return inTurns(preparing(rules));
}

function* preparing(rules: readonly AccessRule[]): Steps<readonly AccessRule[]> {
  if (isPrepared(rules)) return rules;
  const checked: AccessRule[] = [];
  for (const rule of listed(rules)) {
    yield;
    const { data } = accessRuleSchema.safeParse(rule);
    // The whole list says where its faults are.
    if (data === undefined) return parseOptions(accessSchema, rules);
    checked.push(frozen(data));
  }
  const policy = yield* compileSteps(checked);
  const warnings = yield* accessWarnings(checked);
  Object.freeze(checked);
  keepPrepared(checked, { policy, warnings });
  return checked;
}

/** What is no list is refused as such. */
function listed(rules: unknown): readonly unknown[] {
  return Array.isArray(rules) ? rules : parseOptions(accessSchema, rules);
}

function frozen(rule: AccessRule): AccessRule {
  for (const list of [rule.subjects, rule.repositories, rule.actions, rule.immutableTags]) Object.freeze(list);
  return Object.freeze(rule);
}

import { parseOptions } from "@registry-gate/auth-kit";
import type { AccessRule } from "../options/options.ts";
import { accessSchema } from "./access-schema.ts";
import { compilePolicy as compile } from "./compile-policy.ts";
import type { Policy } from "./policy.ts";
import { isPrepared } from "./prepared-access.ts";

/**
 * Validates and compiles rules. Without rules, authenticated users can pull and push.
 *
 * @throws {InvalidOptionsError} with every fault in the rules; its paths start at their list.
 */
export function compilePolicy(rules: readonly AccessRule[] | undefined): Policy {
  return compile(rules === undefined || isPrepared(rules) ? rules : parseOptions(accessSchema, rules));
}

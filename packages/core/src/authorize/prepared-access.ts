import type { Fault } from "@registry-gate/auth";
import type { AccessRule } from "../options/options.ts";
import type { Policy } from "./policy.ts";

/** What was made of rules that are valid and can no longer change. */
export interface PreparedAccess {
  readonly policy: Policy;
  /** Paths start at the list of rules. */
  readonly warnings: readonly Fault[];
}

const prepared = new WeakMap<readonly AccessRule[], PreparedAccess>();

/** @param rules Valid, and frozen with all that is in them. */
export function keepPrepared(rules: readonly AccessRule[], made: PreparedAccess): void {
  prepared.set(rules, made);
}

/** `undefined` for rules that were not prepared. */
export function preparedOf(rules: readonly AccessRule[]): PreparedAccess | undefined {
  return prepared.get(rules);
}

export function isPrepared(value: unknown): value is readonly AccessRule[] {
  return Array.isArray(value) && prepared.has(value);
}

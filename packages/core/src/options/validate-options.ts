import type { Fault } from "@registry-gate/auth";
import { optionFaults } from "@registry-gate/auth-kit";
import { preparedOf } from "../authorize/prepared-access.ts";
import { warnOfAccess } from "../authorize/warn-of-access.ts";
import type { AccessRule, RegistryProxyOptions } from "./options.ts";
import { optionsBeforeBackendsSchema } from "./options-schema.ts";

/** Faults and warnings. Warnings concern valid options that are risky or useless. Paths start at the options. */
export interface Findings {
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** Finds every fault that `registryProxy` would throw, without creating anything. Backends may be missing. */
export function validateOptions(
  options: Omit<RegistryProxyOptions, "backends"> & Partial<Pick<RegistryProxyOptions, "backends">>,
): Findings {
  const faults = [...optionFaults(optionsBeforeBackendsSchema, options)];
  const judgeable = faults.every(({ path }) => path.length > 0 && path[0] !== "access");
  const warnings = judgeable ? warningsOf(options.access ?? []) : [];
  return { faults, warnings: warnings.map((warning) => ({ ...warning, path: ["access", ...warning.path] })) };
}

function warningsOf(access: readonly AccessRule[]): readonly Fault[] {
  return preparedOf(access)?.warnings ?? warnOfAccess(access);
}

import type { RegistryProxyOptions } from "@registry-gate/core";
import { z } from "zod";
import type { Section } from "../section.ts";
import { trueOrFalse } from "../value-schemas.ts";

export interface LogConfiguration {
  readonly level?: LogLevel;
  /** Whether the name of a failed login is logged. */
  readonly attemptedNames?: boolean;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export const logSection: Section<LogConfiguration> = {
  schema: z.strictObject(
    {
      level: z
        .enum(["debug", "info", "warn", "error", "silent"], "must be debug, info, warn, error or silent")
        .exactOptional(),
      attemptedNames: trueOrFalse()
        .describe("Whether the name of a failed login is logged; true by default")
        .exactOptional(),
    },
    "must hold level and attemptedNames",
  ),
  optionKeys: { attemptedNames: "attemptedNames" },
};

/** Options of the middleware. */
export function logOptions({ attemptedNames }: LogConfiguration = {}): Pick<RegistryProxyOptions, "attemptedNames"> {
  return attemptedNames === undefined ? {} : { attemptedNames };
}

export function logLevelOf({ level = "info" }: LogConfiguration = {}): LogLevel {
  return level;
}

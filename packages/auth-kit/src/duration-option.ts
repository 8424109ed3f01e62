import { durationPattern } from "@registry-gate/auth";
import { z } from "zod";

/** The schemas of options that are durations. */
const durations = new WeakSet<z.core.$ZodType>();

/**
 * Marks the schema of an option as that of a duration: a program may give it in milliseconds, a file gives it as text. It
 * is the outermost one that counts, but for `exactOptional`.
 */
export function durationOption<T extends z.ZodType>(schema: T): T {
  durations.add(schema);
  return schema;
}

/** JSON Schema (draft 2020-12) of options as they stand in a file, where durations are text. */
export function fileOptionsSchema(schema: z.ZodType): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(schema, {
    override({ zodSchema, jsonSchema }) {
      if (!durations.has(zodSchema)) return;
      delete jsonSchema.anyOf;
      jsonSchema.type = "string";
      jsonSchema.pattern = durationPattern.source;
    },
  });
}

/** Says what is wrong with a duration that is none; of a bare number, what may have been meant by it. */
export function durationFault(value: unknown): string {
  const bare = typeof value === "number" || (typeof value === "string" && /^\d{1,9}(?:\.\d{1,3})?$/.test(value));
  return bare ? `must be a duration with a unit: write ${value}s` : "must be a duration such as 500ms, 30s or 15m";
}

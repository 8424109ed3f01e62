import { type Duration, durationPattern, parseDuration } from "@registry-gate/auth";
import { z } from "zod";

/** The schemas of options that are durations. */
const durations = new WeakSet<z.core.$ZodType>();

const durationError = { error: ({ input }: { input?: unknown }) => durationFault(input) };

/**
 * The schema of an option that is a duration: a program may give it in milliseconds, a file gives it as text.
 *
 * @param description For editors.
 * @param schema What the duration must be. Default: any that is longer than nothing.
 */
export function durationOption(
  description: string,
  schema: z.ZodType<Duration> = positiveDuration(),
): z.ZodType<Duration> {
  const described = schema.describe(description);
  // Each method of a schema makes another one: what is remembered is the outermost, but for `exactOptional`.
  durations.add(described);
  return described;
}

function positiveDuration(): z.ZodType<Duration> {
  return z
    .union([z.int(), z.string()], durationError)
    .refine((value) => (parseDuration(value) ?? 0) > 0, durationError);
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

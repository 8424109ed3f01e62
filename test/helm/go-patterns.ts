import type { Schema } from "./config-schema.ts";

/**
 * The schema with patterns as Go's regular expressions have them, by which Helm judges: `\u0000` is `\x{0000}` there, and what
 * looks ahead or behind does not exist. Such patterns are left out; the gate itself holds them, when it reads its
 * configuration.
 */
export function withGoPatterns(schema: Schema): Schema {
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]) => {
      if (key !== "pattern" || typeof value !== "string") return [[key, translated(value)]];
      return /\(\?<?[=!]/.test(value) ? [] : [[key, value.replace(/\\u([0-9a-fA-F]{4})/g, "\\x{$1}")]];
    }),
  );
}

function translated(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(translated);
  return typeof value === "object" && value !== null
    ? withGoPatterns(Object.fromEntries(Object.entries(value)))
    : value;
}

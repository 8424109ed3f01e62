import { type ValueSchema, valueSchema } from "@registry-gate/auth-kit";
import type { Path } from "./path.ts";

/** As YAML 1.2 writes numbers, in its core schema, without those that nobody needs. */
const number = /^[-+]?\d{1,15}(?:\.\d{1,15})?$/;

/**
 * Makes numbers and booleans of what environment variables hold, where a schema wants them and no text: `5` for
 * `hashConcurrency: ${THREADS}`. Whatever else they hold stays text, and is judged as such.
 *
 * @param places Where values are that consist of one placeholder.
 * @returns the value, which has been changed.
 */
export function typePlaceholders(value: unknown, places: readonly Path[], schema: unknown): unknown {
  for (const place of places) {
    const key = place.at(-1);
    if (key === undefined) continue;
    let parent = value;
    for (const step of place.slice(0, -1)) parent = isContainer(parent) ? parent[step] : undefined;
    const text = isContainer(parent) ? parent[key] : undefined;
    if (!isContainer(parent) || typeof text !== "string") continue;
    parent[key] = typed(text, valueSchema(schema, place));
  }
  return value;
}

function typed(text: string, { types, words }: ValueSchema): string | number | boolean {
  if (types.has("string") && (words === undefined || words.has(text))) return text;
  if (types.has("number") && number.test(text)) return Number(text);
  if (types.has("boolean") && (text === "true" || text === "false")) return text === "true";
  return text;
}

function isContainer(node: unknown): node is Record<string | number, unknown> {
  return typeof node === "object" && node !== null;
}

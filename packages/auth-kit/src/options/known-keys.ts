import { didYouMean } from "./suggestion.ts";

/**
 * Finds what may have been meant by a key that a JSON Schema does not know.
 *
 * @param path Where the key stands, itself last.
 * @returns `; did you mean KEY?`, or nothing: for a key that is known, too, and where nothing is near.
 */
export function suggestKey(schema: unknown, path: readonly (string | number)[]): string {
  const written = path.at(-1);
  const known = keysAt(schema, path.slice(0, -1));
  return typeof written !== "string" || known.includes(written) ? "" : didYouMean(written, known);
}

/** The keys that an object may have at a place of what the schema describes; of alternatives, those of all. */
function keysAt(schema: unknown, path: readonly (string | number)[]): readonly string[] {
  if (!isRecord(schema)) return [];
  const alternatives = Array.isArray(schema.anyOf) ? schema.anyOf.flatMap((part) => keysAt(part, path)) : [];
  const [step, ...rest] = path;
  if (step === undefined)
    return [...Object.keys(isRecord(schema.properties) ? schema.properties : {}), ...alternatives];
  const inner = typeof step === "number" ? schema.items : isRecord(schema.properties) && schema.properties[step];
  return [...keysAt(inner, rest), ...alternatives];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

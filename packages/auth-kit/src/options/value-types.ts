/** A type of JSON Schema that a value from a file can have. */
export type ValueType = "string" | "number" | "boolean" | "object" | "array" | "null";

/** What a JSON Schema says of a value. */
export interface ValueSchema {
  /** `integer` is told as `number`. Empty where it says nothing of it. */
  readonly types: ReadonlySet<ValueType>;
  /** The patterns that texts have to match. */
  readonly patterns: readonly string[];
  /** The only texts that it can be, such as `auto`; `undefined` where others may be right as well. */
  readonly words: ReadonlySet<string> | undefined;
}

type Path = readonly (string | number)[];

/** Finds what a JSON Schema says of the value at a place; of alternatives, what all of them say together. */
export function valueSchema(schema: unknown, path: Path): ValueSchema {
  const parts = [...partsAt(schema, path)];
  return {
    types: new Set(parts.flatMap(typesOf)),
    patterns: parts.flatMap(({ pattern }) => (typeof pattern === "string" ? [pattern] : [])),
    words: wordsOf(parts),
  };
}

type Part = Readonly<Record<string, unknown>>;

function* partsAt(schema: unknown, path: Path): Generator<Part> {
  if (!isRecord(schema)) return;
  for (const keyword of ["anyOf", "oneOf", "allOf"]) {
    const alternatives = schema[keyword];
    if (Array.isArray(alternatives)) for (const alternative of alternatives) yield* partsAt(alternative, path);
  }
  const [step, ...rest] = path;
  if (step === undefined) yield schema;
  else yield* partsAt(typeof step === "number" ? schema.items : memberOf(schema, step), rest);
}

function memberOf({ properties, additionalProperties }: Part, key: string): unknown {
  return isRecord(properties) && Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
}

const known: readonly ValueType[] = ["string", "number", "boolean", "object", "array", "null"];

function wordsOf(parts: readonly Part[]): ReadonlySet<string> | undefined {
  const texts = parts.filter((part) => typesOf(part).includes("string"));
  const words = texts.map(valuesOf);
  if (words.some((values) => values.length === 0)) return undefined;
  return new Set(words.flat().filter((value) => typeof value === "string"));
}

function valuesOf({ const: only, enum: some }: Part): readonly unknown[] {
  return Array.isArray(some) ? some : only === undefined ? [] : [only];
}

function typesOf(part: Part): ValueType[] {
  const { type } = part;
  const values = valuesOf(part);
  const named: readonly unknown[] = Array.isArray(type) ? type : type === undefined ? values.map(kindOf) : [type];
  return named.flatMap(
    (name) => known.find((type) => type === name || (name === "integer" && type === "number")) ?? [],
  );
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function isRecord(value: unknown): value is Part {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A type of JSON Schema that a value from a file can have. */
export type ValueType = "string" | "number" | "boolean" | "object" | "array" | "null";

/** What a JSON Schema says of a value. */
export interface ValueSchema {
  /** `integer` is told as `number`. Empty where it says nothing of it. */
  readonly types: ReadonlySet<ValueType>;
  /** The patterns that texts have to match. */
  readonly patterns: readonly string[];
}

type Path = readonly (string | number)[];

/** Finds what a JSON Schema says of the value at a place; of alternatives, what all of them say together. */
export function valueSchema(schema: unknown, path: Path): ValueSchema {
  const parts = [...partsAt(schema, path)];
  return {
    types: new Set(parts.flatMap(typesOf)),
    patterns: parts.flatMap(({ pattern }) => (typeof pattern === "string" ? [pattern] : [])),
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

function typesOf({ type, const: only, enum: some }: Part): ValueType[] {
  const values: readonly unknown[] = Array.isArray(some) ? some : only === undefined ? [] : [only];
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

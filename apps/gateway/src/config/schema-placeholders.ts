/** What has `${NAME}` in it, of the environment. */
const placeholder = "\\$\\{";

/** The keywords below which a schema has others for a value, or for what is in it. */
const alternatives = ["anyOf", "oneOf", "allOf"] as const;

/**
 * Lets a JSON Schema take a text with `${NAME}` wherever not every text will do: `maxConnections: "${MAX}"` is right as it is
 * written, and what it becomes is judged when the environment is there.
 *
 * @param isExempt Whether a key is to stay as it is.
 */
export function allowPlaceholders(schema: unknown, isExempt: (key: string) => boolean): unknown {
  const allow = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(allow);
    return isRecord(part) ? withPlaceholder(part) : part;
  };
  const inEach = (properties: Part): Part =>
    Object.fromEntries(Object.entries(properties).map(([key, part]) => [key, isExempt(key) ? part : allow(part)]));

  function withPlaceholder(part: Part): Part {
    const changed: Record<string, unknown> = { ...part };
    for (const keyword of alternatives) if (Array.isArray(part[keyword])) changed[keyword] = allow(part[keyword]);
    for (const keyword of ["items", "additionalProperties"]) {
      if (keyword in part) changed[keyword] = allow(part[keyword]);
    }
    if (isRecord(part.properties)) changed.properties = inEach(part.properties);
    if (Array.isArray(part.enum) || "const" in part) {
      const { description, ...rest } = changed;
      const both = { anyOf: [rest, { type: "string", pattern: placeholder }] };
      return description === undefined ? both : { description, ...both };
    }
    if (part.type === "integer" || part.type === "number" || part.type === "boolean") {
      return { ...changed, type: [part.type, "string"], pattern: placeholder };
    }
    if (typeof part.pattern === "string") return { ...changed, pattern: `(?:${part.pattern})|${placeholder}` };
    return changed;
  }

  return allow(schema);
}

type Part = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Part {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

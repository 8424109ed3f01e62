import { isUtf8 } from "node:buffer";

/** An entry in a search response. */
export interface Entry {
  readonly dn: string;
  /** The values of an attribute, options apart; without those that are not UTF-8. Empty where it is missing. */
  text(attribute: string): readonly string[];
  bytes(attribute: string): readonly Buffer[];
  /** The names of all attributes with their options, in lower case. */
  readonly names: readonly string[];
}

/** Frozen: it is handed out many times. */
const NONE: readonly never[] = Object.freeze([]);

export function createEntry(dn: string, attributes: readonly (readonly [string, readonly Buffer[]])[]): Entry {
  const values = new Map<string, Buffer[]>();
  for (const [name, found] of attributes) {
    const key = name.toLowerCase();
    const known = values.get(key);
    // Not `push(...found)`, which needs stack for each of them.
    if (known === undefined) values.set(key, [...found]);
    else for (const value of found) known.push(value);
  }
  const bytes = (attribute: string): readonly Buffer[] => values.get(attribute.toLowerCase()) ?? NONE;
  return { dn, bytes, text: (attribute) => decode(bytes(attribute)), names: [...values.keys()] };
}

function decode(values: readonly Buffer[]): readonly string[] {
  if (values.length === 0) return NONE;
  const texts: string[] = [];
  for (const value of values) if (isUtf8(value)) texts.push(value.toString("utf8"));
  return texts;
}

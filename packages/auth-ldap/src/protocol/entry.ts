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

export function createEntry(dn: string, attributes: readonly (readonly [string, readonly Buffer[]])[]): Entry {
  const values = new Map<string, Buffer[]>();
  for (const [name, found] of attributes) {
    const key = name.toLowerCase();
    const known = values.get(key);
    // Not `push(...found)`, which needs stack for each of them.
    if (known === undefined) values.set(key, [...found]);
    else for (const value of found) known.push(value);
  }
  const bytes = (attribute: string): readonly Buffer[] => values.get(attribute.toLowerCase()) ?? [];
  return { dn, bytes, text: (attribute) => bytes(attribute).flatMap(decode), names: [...values.keys()] };
}

function decode(value: Buffer): string[] {
  return isUtf8(value) ? [value.toString("utf8")] : [];
}

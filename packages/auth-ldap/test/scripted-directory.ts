import { canonicalDN, foldValue, isWithin, parseDN } from "@registry-gate/auth-kit";
import type { Filter } from "../src/filter/filter.ts";
import type { SearchQuery } from "../src/protocol/requests.ts";
import type { SearchResult } from "../src/protocol/session.ts";
import { entryOf, found, type ScriptedSession, scriptedSession } from "./scripted-session.ts";

/** Entries by their DNs. The attributes of an RDN are to be among the others. */
export type Tree = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export interface ScriptedDirectorySettings {
  /** The most entries that it gives at once. */
  readonly sizeLimit?: number;
  /** Whether the attributes of an entry may be searched, but not read. */
  readonly hidden?: (dn: string) => boolean;
  /** The result code of searches that are not for a single entry. */
  readonly code?: (query: SearchQuery) => number;
}

/** A connection to a directory that holds some entries, and searches them as RFC 4511 says. */
export function scriptedDirectory(tree: Tree, settings: ScriptedDirectorySettings = {}): ScriptedSession {
  const entries = Object.entries(tree).map(([dn, attributes]) => ({
    dn,
    parsed: parseDN(dn) ?? [],
    // The last of a name: options are not known here.
    attributes: new Map(Object.entries(attributes).map(([name, values]) => [name.toLowerCase(), values])),
  }));
  const { sizeLimit: limit = Number.POSITIVE_INFINITY, hidden = () => false, code: codeOf = () => 0 } = settings;
  return scriptedSession((query): SearchResult => {
    const { base, scope, filter, attributes: wanted, sizeLimit = Number.POSITIVE_INFINITY } = query;
    const code = scope === "base" ? 0 : codeOf(query);
    if (code !== 0) return { ...found(), code };
    const root = parseDN(base) ?? [];
    const matching = entries.filter(({ dn, parsed, attributes }) => {
      if (!isWithin(parsed, root) || !matches(filter, dn, attributes)) return false;
      const depth = parsed.length - root.length;
      return scope === "sub" || depth === (scope === "one" ? 1 : 0);
    });
    if (scope === "base" && matching.length === 0) return { ...found(), code: 32 };
    const given = matching
      .slice(0, Math.min(limit, sizeLimit))
      .map(({ dn, attributes }) =>
        entryOf(
          dn,
          hidden(dn)
            ? {}
            : Object.fromEntries(wanted.map((name) => [name, attributes.get(name.toLowerCase()) ?? []] as const)),
        ),
      );
    return { ...found(...given), code: given.length < matching.length ? 4 : 0 };
  });
}

function matches(filter: Filter, dn: string, attributes: ReadonlyMap<string, readonly string[]>): boolean {
  switch (filter.kind) {
    case "and":
      return filter.filters.every((part) => matches(part, dn, attributes));
    case "or":
      return filter.filters.some((part) => matches(part, dn, attributes));
    case "present":
      return filter.attribute === "objectClass" || attributes.has(filter.attribute.toLowerCase());
    case "equal": {
      const { attribute, value } = filter;
      const text = value.toString();
      if (attribute === "distinguishedName") return canonicalDN(dn) === canonicalDN(text);
      const values = attributes.get(attribute.toLowerCase()) ?? [];
      if (values.some((held) => foldValue(held) === foldValue(text))) return true;
      const asDN = text.includes("=") ? canonicalDN(text) : undefined;
      return asDN !== undefined && values.some((held) => canonicalDN(held) === asDN);
    }
    default:
      throw new Error(`this directory does not know the filter ${filter.kind}`);
  }
}

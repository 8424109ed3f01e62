import { foldValue } from "@registry-gate/auth-kit";
import { comparableDN } from "../entry-dn.ts";
import { equal, type Filter } from "../filter/filter.ts";
import { allEntries } from "../outcomes.ts";
import type { Entry } from "../protocol/entry.ts";
import type { SearchResult, Session } from "../protocol/session.ts";
import { type BatchOutcome, decideInBatches } from "./batches.ts";
import type { FoundGroup } from "./group.ts";
import type { GroupSearch } from "./member-search.ts";

/** A group, and one of the names that it bears. */
export interface NameCandidate {
  readonly group: FoundGroup;
  /** In Normalization Form C, as rules are compared. */
  readonly name: string;
  /** As the directory has it. */
  readonly value: string;
}

/** The same for names that a directory takes for one. */
export const keyOf = ({ value }: NameCandidate): string => foldValue(value);

/** The most entries of one search for several names. With more, fewer names are searched for at a time. */
const MOST_ENTRIES = 500;

/**
 * Finds out whose name no other entry has, groups or not, where groups are searched for. The group itself must be among
 * what is found: where it is not seen, others may not be seen either.
 *
 * @param candidates Of different keys.
 * @throws {DirectoryError} when the directory did not respond in full.
 */
export async function withUniqueNames(
  session: Session,
  candidates: readonly NameCandidate[],
  { base, scope, nameAttribute }: GroupSearch,
  signal: AbortSignal,
): Promise<readonly NameCandidate[]> {
  const unique: NameCandidate[] = [];
  const search = (filter: Filter, sizeLimit: number): Promise<SearchResult> =>
    session.search({ base, scope, filter, attributes: [nameAttribute], sizeLimit }, signal);
  const filterOf = ({ value }: NameCandidate): Filter => equal(nameAttribute, value);

  async function decideTogether(items: readonly NameCandidate[], filter: Filter): Promise<BatchOutcome> {
    const result = await search(filter, MOST_ENTRIES);
    if (result.code === 4 || result.code === 11) return { entries: result.entries.length };
    const holders = holdersOf(items, allEntries(result, "entries of the same name"), nameAttribute);
    if (holders === undefined) return { entries: 0 };
    for (const item of items) if (isOnly(item, holders.get(keyOf(item)) ?? [])) unique.push(item);
    return "decided";
  }

  /** What one name finds has that name, whatever it shows of itself. */
  async function decideAlone(item: NameCandidate): Promise<BatchOutcome> {
    const result = await search(filterOf(item), 2);
    const dns = result.entries.map(canonicalDNOf);
    if (dns.some((dn) => dn !== item.group.canonicalDN)) return "decided";
    allEntries(result, "entries of the same name");
    if (isOnly(item, dns)) unique.push(item);
    return "decided";
  }

  await decideInBatches(candidates, filterOf, ({ items, filter }) => {
    const [first, ...others] = items;
    return first !== undefined && others.length === 0 ? decideAlone(first) : decideTogether(items, filter);
  });
  return unique;
}

/**
 * Which entries have which of the names.
 *
 * @returns `undefined` where an entry does not show which of them it has: its values may not be read, or the server
 * compares names otherwise.
 */
function holdersOf(
  items: readonly NameCandidate[],
  entries: readonly Entry[],
  nameAttribute: string,
): ReadonlyMap<string, readonly string[]> | undefined {
  const holders = new Map<string, string[]>(items.map((item) => [keyOf(item), []]));
  for (const entry of entries) {
    const keys = new Set(entry.text(nameAttribute).map(foldValue));
    const known = [...keys].filter((key) => holders.has(key));
    if (known.length === 0) return undefined;
    for (const key of known) holders.get(key)?.push(canonicalDNOf(entry));
  }
  return holders;
}

const canonicalDNOf = ({ dn }: Entry): string => comparableDN(dn);

/** Whether an entry of the name was found, and it is this group. */
function isOnly({ group }: NameCandidate, dns: readonly string[]): boolean {
  return dns.length > 0 && dns.every((dn) => dn === group.canonicalDN);
}

import { comparableDN } from "../entry-dn.ts";
import { anything, both, equal, type Filter } from "../filter/filter.ts";
import { allEntries } from "../outcomes.ts";
import type { Entry } from "../protocol/entry.ts";
import type { Session } from "../protocol/session.ts";
import { decideInBatches } from "./batches.ts";
import type { FoundGroup } from "./group.ts";
import type { GroupSearch } from "./member-search.ts";

/** The most entries of one search. With more, fewer groups are asked for at a time. */
const MOST_ENTRIES = 500;
/** The server has more than it gives, or does not search in this way: size limit, administrative limit, unwilling. */
const NOT_IN_FULL = new Set([4, 11, 53]);

/**
 * Reads the names of groups whose DNs alone are known, many in one search.
 *
 * @returns the groups with their entries, but for those that have just gone, or may not be seen.
 * @throws {DirectoryError} when the directory did not respond in full.
 */
export async function readNames(
  session: Session,
  groups: readonly FoundGroup[],
  search: GroupSearch,
  activeDirectory: boolean,
  signal: AbortSignal,
): Promise<readonly FoundGroup[]> {
  const entries = new Map<string, Entry>();
  const { base, scope, nameAttribute } = search;
  const attributes = [nameAttribute];
  const alone = groups.filter((group) => !isFilterable(group, activeDirectory));
  const together = groups.filter((group) => isFilterable(group, activeDirectory));
  const filterOf = activeDirectory ? byDistinguishedName : byRDN;
  const undecided = await decideInBatches(together, filterOf, async ({ filter }) => {
    const result = await session.search({ base, scope, filter, attributes, sizeLimit: MOST_ENTRIES }, signal);
    if (NOT_IN_FULL.has(result.code)) return { entries: result.entries.length };
    for (const entry of allEntries(result, "the names of groups")) {
      entries.set(comparableDN(entry.dn), entry);
    }
    return "decided";
  });
  for (const { dn, canonicalDN } of [...alone, ...undecided]) {
    const result = await session.search({ base: dn, scope: "base", filter: anything, attributes }, signal);
    const [entry] = result.code === 32 ? [] : allEntries(result, "the name of a group");
    if (entry !== undefined) entries.set(canonicalDN, entry);
  }
  return groups.map((group) => ({ ...group, entry: entries.get(group.canonicalDN) }));
}

/** A value in hexadecimal digits is no text that a filter could hold. */
function isFilterable({ parsedDN }: FoundGroup, activeDirectory: boolean): boolean {
  return activeDirectory || (parsedDN[0]?.every(({ hex }) => !hex) ?? false);
}

const byDistinguishedName = ({ dn }: FoundGroup): Filter => equal("distinguishedName", dn);

/** An entry has the values of its RDN as attributes (RFC 4512, section 2.3). Others may have them too. */
function byRDN({ parsedDN }: FoundGroup): Filter {
  const [only, ...others] = (parsedDN[0] ?? []).map(({ type, value }) => equal(type, value));
  return only !== undefined && others.length === 0 ? only : both(...(only === undefined ? [] : [only]), ...others);
}

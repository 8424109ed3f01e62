import { either, type Filter } from "../filter/filter.ts";
import { type FilterTemplate, fillTemplate } from "../filter/filter-template.ts";
import { allEntries } from "../outcomes.ts";
import type { SearchScope } from "../protocol/requests.ts";
import type { Session } from "../protocol/session.ts";
import { createGroup, type Group } from "./group.ts";

/** Where groups are searched for, and what they are called by. */
export interface GroupSearch {
  readonly base: string;
  readonly scope: SearchScope;
  readonly nameAttribute: string;
}

/** How many alternatives go into one filter: servers limit them. */
const ALTERNATIVES = 200;

/**
 * Finds the groups that any of the filters matches, in as few searches as servers allow.
 *
 * @throws {DirectoryFault} when the directory did not answer in full.
 */
export async function searchGroups(
  session: Session,
  { base, scope, nameAttribute }: GroupSearch,
  filters: readonly Filter[],
  signal: AbortSignal,
): Promise<readonly Group[]> {
  const groups: Group[] = [];
  for (let start = 0; start < filters.length; start += ALTERNATIVES) {
    const filter = either(filters.slice(start, start + ALTERNATIVES));
    const result = await session.search({ base, scope, filter, attributes: [nameAttribute] }, signal);
    for (const entry of allEntries(result, "groups")) groups.push(createGroup(entry.dn, nameAttribute, entry));
  }
  return groups;
}

/** Finds the groups that have any of these groups as a member. */
export async function searchParents(
  session: Session,
  search: GroupSearch,
  template: FilterTemplate,
  level: readonly Group[],
  signal: AbortSignal,
): Promise<readonly Group[]> {
  // What the template says of the user's name is not true of a group: it falls out of the filter.
  const filters = level.flatMap(({ dn }) => {
    const filled = fillTemplate(template, { dn });
    return typeof filled === "boolean" ? [] : [filled];
  });
  return searchGroups(session, search, filters, signal);
}

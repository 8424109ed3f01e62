import { GROUPS } from "../bounds.ts";
import { invalidContent } from "../directory-error.ts";
import type { Filter } from "../filter/filter.ts";
import { type FilterTemplate, fillTemplate } from "../filter/filter-template.ts";
import { allEntries } from "../outcomes.ts";
import type { SearchScope } from "../protocol/requests.ts";
import type { Session } from "../protocol/session.ts";
import { takeBatch } from "./batches.ts";
import { type FoundGroup, findGroup } from "./group.ts";
import { faultOfDN, ignoreSkippedValues, type SkippedValues } from "./skipped-values.ts";

/** Where groups are searched for, and the attribute with their names. */
export interface GroupSearch {
  readonly base: string;
  readonly scope: SearchScope;
  readonly nameAttribute: string;
  /** Collects skipped values. */
  readonly skipped?: SkippedValues;
}

/**
 * Finds the groups that any of the filters matches, in as few searches as servers allow.
 *
 * @throws {DirectoryError} when the directory did not respond in full.
 */
export async function searchGroups(
  session: Session,
  { base, scope, nameAttribute, skipped = ignoreSkippedValues }: GroupSearch,
  filters: readonly Filter[],
  signal: AbortSignal,
): Promise<readonly FoundGroup[]> {
  const groups = new Map<string, FoundGroup>();
  for (let rest = filters; rest.length > 0; ) {
    const { items, filter } = takeBatch(rest, (alternative) => alternative);
    rest = rest.slice(items.length);
    const result = await session.search({ base, scope, filter, attributes: [nameAttribute] }, signal);
    for (const entry of allEntries(result, "groups")) {
      const group = findGroup(entry.dn, entry);
      if (group !== undefined) groups.set(group.canonicalDN, group);
      else
        for (const name of [entry.dn, ...entry.text(nameAttribute)])
          skipped.add("DN of a group", faultOfDN(entry.dn), name);
    }
    if (groups.size > GROUPS.count) throw invalidContent(`the user is in more than ${GROUPS.count} groups`);
  }
  return [...groups.values()];
}

/** Finds the groups that have any of these groups as a member. */
export async function searchParents(
  session: Session,
  search: GroupSearch,
  template: FilterTemplate,
  level: readonly FoundGroup[],
  signal: AbortSignal,
): Promise<readonly FoundGroup[]> {
  // What the template says of the user's name is not true of a group: it falls out of the filter.
  const filters = level.flatMap(({ dn }) => {
    const filled = fillTemplate(template, { dn });
    return typeof filled === "boolean" ? [] : [filled];
  });
  return searchGroups(session, search, filters, signal);
}

import { GROUPS } from "../bounds.ts";
import { invalidContent } from "../directory-error.ts";
import type { FoundGroup } from "./group.ts";

/**
 * Collects groups and the groups that these are in, level by level. A group that was seen is not asked about again, so
 * that circles end.
 *
 * @param parentsOf Asked once a level.
 * @throws {DirectoryError} when there are too many levels or groups: part of them would be a wrong answer.
 */
export async function walkUp(
  first: readonly FoundGroup[],
  parentsOf: (level: readonly FoundGroup[]) => Promise<readonly FoundGroup[]>,
): Promise<readonly FoundGroup[]> {
  const seen = new Map<string, FoundGroup>();
  let found = first;
  for (let depth = 0; ; depth++) {
    const level: FoundGroup[] = [];
    for (const group of found) {
      if (seen.has(group.canonicalDN)) continue;
      seen.set(group.canonicalDN, group);
      level.push(group);
    }
    if (level.length === 0) return [...seen.values()];
    if (depth === GROUPS.levels) throw invalidContent(`groups are nested more than ${GROUPS.levels} levels deep`);
    if (seen.size > GROUPS.count) throw invalidContent(`the user is in more than ${GROUPS.count} groups`);
    found = await parentsOf(level);
  }
}

import { DirectoryFault } from "../faults.ts";
import type { Group } from "./group.ts";

/** Deeper than any hierarchy of groups that people keep in their heads. */
const DEEPEST = 32;
const MOST_GROUPS = 10_000;

/**
 * Collects groups and the groups that these are in, level by level. A group that was seen is not asked about again, so
 * that circles end.
 *
 * @param parentsOf Asked once a level.
 * @throws {DirectoryFault} when there are too many levels or groups: part of them would be a wrong answer.
 */
export async function walkUp(
  first: readonly Group[],
  parentsOf: (level: readonly Group[]) => Promise<readonly Group[]>,
): Promise<readonly Group[]> {
  const seen = new Map<string, Group>();
  let found = first;
  for (let depth = 0; ; depth++) {
    const level: Group[] = [];
    for (const group of found) {
      if (seen.has(group.canonicalDN)) continue;
      seen.set(group.canonicalDN, group);
      level.push(group);
    }
    if (level.length === 0) return [...seen.values()];
    if (depth === DEEPEST) throw new DirectoryFault("result", `groups are nested more than ${DEEPEST} levels deep`);
    if (seen.size > MOST_GROUPS) throw new DirectoryFault("result", `the user is in more than ${MOST_GROUPS} groups`);
    found = await parentsOf(level);
  }
}

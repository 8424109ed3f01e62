import type { GroupFile, GroupsOfUsers } from "./group-file.ts";
import type { PasswordHash } from "./hash-format.ts";

/** What logins rest on. */
export interface Contents {
  readonly hashes: ReadonlyMap<string, PasswordHash>;
  readonly groups: GroupFile | undefined;
}

/**
 * Makes a function that gives the one user whose password or groups have changed since it was called before, or since it was
 * made; `undefined` where it is nobody, or several.
 */
export function trackChanges(current: () => Contents): () => string | undefined {
  let before = current();
  return () => {
    const now = current();
    const changed = new Set<string>();
    const compare = <T>(
      one: ReadonlyMap<string, T>,
      other: ReadonlyMap<string, T>,
      text: (value: T) => string,
    ): void => {
      for (const name of new Set([...one.keys(), ...other.keys()])) {
        const [was, is] = [one.get(name), other.get(name)];
        if ((was && text(was)) !== (is && text(is))) changed.add(name);
      }
    };
    compare(before.hashes, now.hashes, (hash) => hash.text);
    compare(groupsIn(before, "groupsOf"), groupsIn(now, "groupsOf"), JSON.stringify);
    compare(groupsIn(before, "possibleGroupsOf"), groupsIn(now, "possibleGroupsOf"), JSON.stringify);
    before = now;
    const [only, ...others] = changed;
    return others.length === 0 ? only : undefined;
  };
}

function groupsIn({ groups }: Contents, kind: "groupsOf" | "possibleGroupsOf"): GroupsOfUsers {
  return groups?.[kind] ?? new Map();
}

import type { Steps } from "@registry-gate/auth-kit";
import type { GroupFile } from "./group-file.ts";
import type { UserFile } from "./user-file.ts";

/** The one user whose password has changed; `undefined` where it is nobody, or several. */
export function* onlyNewPassword(before: UserFile, after: UserFile): Steps<string | undefined> {
  return onlyOf(yield* differences(before.hashes, after.hashes, (one, other) => one.text === other.text));
}

/** The one user whose groups have changed; `undefined` where it is nobody, or several. */
export function* onlyNewGroups(before: GroupFile, after: GroupFile): Steps<string | undefined> {
  const isSame = (one: readonly string[], other: readonly string[]): boolean =>
    one.length === other.length && one.every((group, index) => group === other[index]);
  const differing = (kind: "groupsOf" | "possibleGroupsOf"): Steps<ReadonlySet<string>> =>
    differences(before[kind], after[kind], isSame);
  return onlyOf(new Set([...(yield* differing("groupsOf")), ...(yield* differing("possibleGroupsOf"))]));
}

function onlyOf([only, ...others]: ReadonlySet<string>): string | undefined {
  return others.length === 0 ? only : undefined;
}

/** The keys at which two maps differ, as far as the second one. */
function* differences<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  isSame: (one: T, other: T) => boolean,
): Steps<ReadonlySet<string>> {
  const keys = new Set<string>();
  for (const [key, value] of after) {
    yield;
    const was = before.get(key);
    if (was === undefined || !isSame(was, value)) keys.add(key);
    if (keys.size > 1) return keys;
  }
  for (const key of before.keys()) {
    yield;
    if (!after.has(key)) keys.add(key);
    if (keys.size > 1) return keys;
  }
  return keys;
}

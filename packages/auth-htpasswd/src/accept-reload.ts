import type { Logger } from "@registry-gate/auth";
import { InvalidFileError } from "@registry-gate/auth-kit";
import type { GroupFile, GroupsOfUsers } from "./group-file.ts";
import type { Users } from "./report-files.ts";

/**
 * A password file without usable entries is an accident: a shell that truncated it, an editor that failed, another
 * file in its place. Locked entries are intended.
 *
 * @throws {InvalidFileError} where the current users are to stay.
 */
export function acceptUsers(next: Users, current: Users): Users {
  if (next.hashes.size > 0 || next.locked > 0 || current.hashes.size === 0) return next;
  const [fault] = next.faults;
  if (fault === undefined) throw new InvalidFileError("is empty: it has no line user:hash");
  throw new InvalidFileError(`has no usable entry (line ${fault.line}: ${fault.message})`);
}

/**
 * After a reload of an empty group file nobody is in a group. Deny rules still apply to the previous members: an emptied
 * file must not give them more access.
 */
export function acceptGroups(next: GroupFile, current: GroupFile, file: string, log: Logger): GroupFile {
  if (next.names.size > 0 || (current.names.size === 0 && current.possibleGroupsOf.size === 0)) return next;
  log.error(
    { file },
    "the file names no group: nobody is in a group, and deny rules still apply to the previous members",
  );
  return {
    ...next,
    possibleGroupsOf: union(next.possibleGroupsOf, union(current.possibleGroupsOf, current.groupsOf)),
  };
}

function union(one: GroupsOfUsers, other: GroupsOfUsers): GroupsOfUsers {
  const whole = new Map(one);
  for (const [user, groups] of other) whole.set(user, [...new Set([...(whole.get(user) ?? []), ...groups])]);
  return whole;
}

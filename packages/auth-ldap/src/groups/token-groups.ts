import { GROUPS } from "../bounds.ts";
import { DirectoryError, invalidContent } from "../directory-error.ts";
import { anything, both, either, equal, type Filter } from "../filter/filter.ts";
import { allEntries } from "../outcomes.ts";
import type { Session } from "../protocol/session.ts";
import type { User } from "../user/find-user.ts";
import type { FoundGroup } from "./group.ts";
import { type GroupSearch, searchGroups } from "./member-search.ts";

/**
 * The security groups of a user as a domain controller computes them for a token, nested groups and the primary group
 * included; distribution groups are none of them.
 *
 * @throws {DirectoryError} when the directory does not say.
 */
export async function tokenGroups(
  session: Session,
  user: User,
  search: GroupSearch,
  signal: AbortSignal,
): Promise<readonly FoundGroup[]> {
  const query = { base: user.dn, scope: "base", filter: anything, attributes: ["tokenGroups"] } as const;
  const [entry] = allEntries(await session.search(query, signal), "tokenGroups");
  const sids = entry?.bytes("tokenGroups") ?? [];
  if (sids.length === 0) {
    // Everybody has a primary group.
    const hint = "is the service account in the group Windows Authorization Access Group?";
    throw new DirectoryError("result", `tokenGroups of the user cannot be read: ${hint}`);
  }
  if (sids.length > GROUPS.count) throw invalidContent(`the user is in more than ${GROUPS.count} groups`);
  const filters = sids.map((sid) => equal("objectSid", sid));
  return searchGroups(session, search, filters, signal);
}

/** LDAP_MATCHING_RULE_BIT_AND with the bit of security groups. */
const SECURITY_GROUP: Filter = {
  kind: "extensible",
  attribute: "groupType",
  rule: "1.2.840.113556.1.4.803",
  dnAttributes: false,
  value: "2147483648",
};

/** The security groups that a user is in directly, and the primary group. */
export function directGroups(
  session: Session,
  user: User,
  search: GroupSearch,
  signal: AbortSignal,
): Promise<readonly FoundGroup[]> {
  const member = both(equal("member", user.dn), SECURITY_GROUP);
  const filter = either([member, equal("objectSid", primaryGroupSid(user))]);
  return searchGroups(session, search, [filter], signal);
}

/** The SID of the domain with the relative identifier of the primary group ([MS-DTYP] section 2.4.2.2). */
export function primaryGroupSid({ entry }: Pick<User, "entry">): Buffer {
  const sid = entry.bytes("objectSid")[0];
  const rid = Number(entry.text("primaryGroupID")[0]);
  if (sid === undefined || sid.length < 12 || !Number.isInteger(rid) || rid < 0 || rid > 0xffffffff) {
    throw new DirectoryError("result", "objectSid or primaryGroupID of the user cannot be read");
  }
  const group = Buffer.from(sid);
  group.writeUInt32LE(rid, group.length - 4);
  return group;
}

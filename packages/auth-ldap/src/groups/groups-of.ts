import { isWithin, writeCanonical } from "@registry-gate/distinguished-name";
import { anything } from "../filter/filter.ts";
import { type FilterTemplate, fillTemplate } from "../filter/filter-template.ts";
import { parseFilterTemplate } from "../filter/parse-filter-template.ts";
import { allEntries } from "../outcomes.ts";
import type { Session } from "../protocol/session.ts";
import type { GroupSettings } from "../settings.ts";
import type { User } from "../user/find-user.ts";
import { domainOf } from "../user/login-name.ts";
import { createGroup, type Group } from "./group.ts";
import { type GroupSearch, searchGroups, searchParents } from "./member-search.ts";
import { rangedValues } from "./ranged-values.ts";
import { directGroups, tokenGroups } from "./token-groups.ts";
import { walkUp } from "./walk.ts";

/** What {@link groupsOf} needs to find in the user's entry. */
export function groupAttributes({ route, nested }: GroupSettings): readonly string[] {
  if (route.kind === "memberOf") return [route.attribute];
  return route.kind === "token" && !nested ? ["objectSid", "primaryGroupID"] : [];
}

/**
 * Finds the groups of a user by the way that is configured.
 *
 * @throws {DirectoryFault} when the directory did not answer in full: that is never "no groups".
 */
export async function groupsOf(
  session: Session,
  user: User,
  settings: GroupSettings,
  signal: AbortSignal,
): Promise<readonly Group[]> {
  const { route, nested, base } = settings;
  const search: GroupSearch = {
    base: base?.text ?? writeCanonical(domainOf(user.parsedDN)),
    scope: settings.scope,
    nameAttribute: settings.nameAttribute,
  };
  if (route.kind === "token") return (nested ? tokenGroups : directGroups)(session, user, search, signal);
  const template = route.kind === "search" ? route.filter : PARENT;
  const direct =
    route.kind === "search"
      ? await searchDirect(session, user, search, template, signal)
      : await memberOf(session, user, settings, route.attribute, signal);
  if (!nested) return direct;
  return walkUp(direct, (level) => searchParents(session, search, template, level, signal));
}

const PARENT = parentTemplate();

function parentTemplate(): FilterTemplate {
  const parsed = parseFilterTemplate("(|(member={{dn}})(uniqueMember={{dn}}))", ["dn"]);
  if ("fault" in parsed) throw new RangeError(parsed.fault);
  return parsed.template;
}

async function searchDirect(
  session: Session,
  { dn, username }: User,
  search: GroupSearch,
  template: FilterTemplate,
  signal: AbortSignal,
): Promise<readonly Group[]> {
  const filled = fillTemplate(template, { dn, username });
  return typeof filled === "boolean" ? [] : searchGroups(session, search, [filled], signal);
}

async function memberOf(
  session: Session,
  user: User,
  { base, nameAttribute }: GroupSettings,
  attribute: string,
  signal: AbortSignal,
): Promise<readonly Group[]> {
  const dns = await rangedValues(session, user.entry, attribute, signal);
  const groups: Group[] = [];
  for (const dn of dns) {
    const group = createGroup(dn, nameAttribute);
    if (base !== undefined && !isWithin(group.parsedDN, base.dn)) continue;
    groups.push(group.names.length > 0 ? group : await readGroup(session, dn, nameAttribute, signal));
  }
  return groups;
}

/** Where the name is not in the DN, the group itself must be asked. */
async function readGroup(session: Session, dn: string, nameAttribute: string, signal: AbortSignal): Promise<Group> {
  const query = { base: dn, scope: "base", filter: anything, attributes: [nameAttribute] } as const;
  const result = await session.search(query, signal);
  // A group that has just gone, or that may not be seen, keeps its DN as its name.
  const [entry] = result.code === 32 ? [] : allEntries(result, "the name of a group");
  return createGroup(dn, nameAttribute, entry);
}

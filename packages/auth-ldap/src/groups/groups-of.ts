import { writeCanonical } from "@registry-gate/auth-kit";
import { type FilterTemplate, fillTemplate } from "../filter/filter-template.ts";
import { parseFilterTemplate } from "../filter/parse-filter-template.ts";
import type { Session } from "../protocol/session.ts";
import type { GroupSettings } from "../settings.ts";
import type { User } from "../user/find-user.ts";
import { domainOf } from "../user/login-name.ts";
import { type FoundGroup, findGroup, type Group } from "./group.ts";
import { isBelowGroupBase } from "./group-base.ts";
import { type GroupSearch, searchGroups, searchParents } from "./member-search.ts";
import { rangedValues, wholeValues } from "./ranged-values.ts";
import { nameGroups, namelessGroup } from "./short-names.ts";
import { faultOfDN, ignoreSkippedValues, type SkippedValues } from "./skipped-values.ts";
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
 * @param skipped Collects skipped values.
 * @throws {DirectoryError} when the directory did not respond in full: that is never "no groups".
 */
export async function groupsOf(
  session: Session,
  user: User,
  settings: GroupSettings,
  signal: AbortSignal,
  skipped: SkippedValues = ignoreSkippedValues,
): Promise<readonly Group[]> {
  const named = groupsInEntry(user, settings, skipped);
  if (named !== undefined) return named;
  const search: GroupSearch = {
    // Written where it is asked for: most users need no search.
    get base() {
      return settings.base?.text ?? writeCanonical(domainOf(user.parsedDN));
    },
    scope: settings.scope,
    nameAttribute: settings.nameAttribute,
    skipped,
  };
  const inPlace = async (finding: Promise<readonly FoundGroup[]>): Promise<readonly FoundGroup[]> =>
    (await finding).filter((group) => isBelowGroupBase(group, settings));
  const found = await findGroups(session, user, settings, search, inPlace, signal);
  return nameGroups(session, distinct(found), settings, search, signal);
}

/**
 * The groups of a user where the entry names all of them, and they have no short names that others could bear.
 *
 * @returns `undefined` where the directory has to be asked.
 */
export function groupsInEntry(
  { entry }: User,
  settings: GroupSettings,
  skipped: SkippedValues,
): readonly Group[] | undefined {
  const { route, nested, naming, nameAttribute } = settings;
  if (route.kind !== "memberOf" || nested || naming.kind !== "none") return undefined;
  const dns = wholeValues(entry, route.attribute, skipped);
  if (dns === undefined) return undefined;
  const groups = groupsNamed(dns, route.attribute, skipped).filter((group) => isBelowGroupBase(group, settings));
  return distinct(groups).map((group) => namelessGroup(group, { nameAttribute, skipped }));
}

function distinct(groups: readonly FoundGroup[]): readonly FoundGroup[] {
  return [...new Map(groups.map((group) => [group.canonicalDN, group])).values()];
}

/** @param inPlace Leaves out those that do not count, so that nothing is asked about them either. */
async function findGroups(
  session: Session,
  user: User,
  { route, nested }: GroupSettings,
  search: GroupSearch,
  inPlace: (finding: Promise<readonly FoundGroup[]>) => Promise<readonly FoundGroup[]>,
  signal: AbortSignal,
): Promise<readonly FoundGroup[]> {
  if (route.kind === "token") return inPlace((nested ? tokenGroups : directGroups)(session, user, search, signal));
  const template = route.kind === "search" ? route.filter : PARENT;
  const direct = await inPlace(
    route.kind === "search"
      ? searchDirect(session, user, search, template, signal)
      : memberOf(session, user, route.attribute, signal, search.skipped),
  );
  if (!nested) return direct;
  return walkUp(direct, (level) => inPlace(searchParents(session, search, template, level, signal)));
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
): Promise<readonly FoundGroup[]> {
  const filled = fillTemplate(template, { dn, username });
  return typeof filled === "boolean" ? [] : searchGroups(session, search, [filled], signal);
}

async function memberOf(
  session: Session,
  user: User,
  attribute: string,
  signal: AbortSignal,
  skipped: SkippedValues = ignoreSkippedValues,
): Promise<readonly FoundGroup[]> {
  return groupsNamed(await rangedValues(session, user.entry, attribute, signal, skipped), attribute, skipped);
}

function groupsNamed(dns: readonly string[], attribute: string, skipped: SkippedValues): readonly FoundGroup[] {
  const groups: FoundGroup[] = [];
  for (const dn of dns) {
    const group = findGroup(dn);
    if (group === undefined) skipped.add(attribute, faultOfDN(dn), dn);
    else groups.push(group);
  }
  return groups;
}

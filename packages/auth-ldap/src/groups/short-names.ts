import { writeCanonical } from "@registry-gate/auth-kit";
import type { Session } from "../protocol/session.ts";
import type { GroupSettings } from "../settings.ts";
import { domainOf } from "../user/login-name.ts";
import type { FoundGroup, Group } from "./group.ts";
import { isDirectlyBelowGroupBase } from "./group-base.ts";
import type { GroupSearch } from "./member-search.ts";
import { readNames } from "./read-names.ts";
import { readShortName } from "./skipped-values.ts";
import { keyOf, type NameCandidate, withUniqueNames } from "./unique-names.ts";

/**
 * Decides which short names groups have, in whichever way they were found: those that can stand for no other group.
 *
 * - In a domain of Active Directory an account name is unique; the domain controllers see to that.
 * - Directly below `groups.searchBase` a name in the DN is unique, and goes before all that is deeper: whoever may create
 *   groups in a unit below cannot take it or void it.
 * - Any other name in the place of `groups.searchBase` counts where no other entry there has it.
 *
 * @param groups Distinct ones.
 * @throws {DirectoryError} when the directory did not respond in full.
 */
export async function nameGroups(
  session: Session,
  groups: readonly FoundGroup[],
  settings: GroupSettings,
  search: GroupSearch,
  signal: AbortSignal,
): Promise<readonly Group[]> {
  const { naming, nameAttribute } = settings;
  const named = new Map(groups.map(({ canonicalDN }) => [canonicalDN, newGroup(canonicalDN)]));
  const eligible: FoundGroup[] = [];
  for (const group of groups) {
    if (mayHaveNames(group, settings)) eligible.push(group);
    else named.set(group.canonicalDN, namelessGroup(group, search));
  }
  if (eligible.length === 0) return [...named.values()];
  const unread = eligible.filter((group) => group.entry === undefined && nameInDN(group, nameAttribute) === undefined);
  const read = await readNames(session, unread, search, settings.activeDirectory, signal);
  const known = new Map([...eligible, ...read].map((group) => [group.canonicalDN, group]));
  const candidates = [...known.values()].flatMap((group) => candidatesOf(group, search));
  const unique =
    naming.kind === "domain" ? new Set(candidates) : await uniqueAmong(session, candidates, settings, search, signal);
  for (const candidate of candidates) {
    const group = named.get(candidate.group.canonicalDN);
    (unique.has(candidate) ? group?.names : group?.ambiguousNames)?.push(candidate.name);
  }
  return [...named.values()];
}

/** A group that has no short name, but may be meant by those in its DN: a rule that denies is to hold for it. */
export function namelessGroup(group: FoundGroup, search: NameSearch): GrowingGroup {
  return { ...newGroup(group.canonicalDN), ambiguousNames: [...namesInDN(group, search)] };
}

/** What it takes to read the names in a DN. */
type NameSearch = Pick<GroupSearch, "nameAttribute" | "skipped">;

/** A group whose names are being found. */
type GrowingGroup = Group & Record<"names" | "ambiguousNames", string[]>;

const newGroup = (canonicalDN: string): GrowingGroup => ({
  canonicalDN,
  names: [],
  ambiguousNames: [],
});

function mayHaveNames(group: FoundGroup, settings: GroupSettings): boolean {
  const { naming } = settings;
  switch (naming.kind) {
    case "none":
      return false;
    case "domain":
      return writeCanonical(domainOf(group.parsedDN)) === naming.domain;
    case "place":
      return naming.searched || isUniqueByDN(group, settings);
  }
}

/** The names that a group bears: the one in its DN, where there is one, else the values of the name attribute. */
function candidatesOf(group: FoundGroup, search: GroupSearch): readonly NameCandidate[] {
  const { nameAttribute } = search;
  const naming = nameInDN(group, nameAttribute);
  const values = naming === undefined ? new Set(group.entry?.text(nameAttribute)) : [naming];
  const candidates: NameCandidate[] = [];
  for (const value of values) for (const name of namesIn(value, search)) candidates.push({ group, name, value });
  return candidates;
}

function namesIn(value: string, { nameAttribute, skipped }: NameSearch): readonly string[] {
  const reading = readShortName(value);
  if (reading === "none") return [];
  if (reading.fault === undefined) return [reading.name];
  skipped?.add(nameAttribute, reading.fault, value);
  return [];
}

/** Whatever the group may be called by somebody who does not look at where it is. */
function namesInDN({ parsedDN }: FoundGroup, search: NameSearch): readonly string[] {
  return (parsedDN[0] ?? []).flatMap(({ hex, value }) => (hex ? [] : namesIn(value, search)));
}

function nameInDN({ parsedDN }: FoundGroup, nameAttribute: string): string | undefined {
  return parsedDN[0]?.find(({ type, hex }) => !hex && type === nameAttribute.toLowerCase())?.value;
}

/** Whether the name is the whole RDN, directly below the base: there can be no second entry of it. */
function isUniqueByDN(group: FoundGroup, settings: GroupSettings): boolean {
  const whole = group.parsedDN[0]?.length === 1 && nameInDN(group, settings.nameAttribute) !== undefined;
  return whole && isDirectlyBelowGroupBase(group, settings);
}

/** Those whose name no other entry in the place has. */
async function uniqueAmong(
  session: Session,
  candidates: readonly NameCandidate[],
  settings: GroupSettings,
  search: GroupSearch,
  signal: AbortSignal,
): Promise<ReadonlySet<NameCandidate>> {
  const unique = new Set(candidates.filter(({ group }) => isUniqueByDN(group, settings)));
  if (settings.naming.kind !== "place" || !settings.naming.searched || unique.size === candidates.length) return unique;
  const byKey = Map.groupBy(candidates, keyOf);
  const open = [...byKey.values()].flatMap((same) => {
    const [only, ...others] = same;
    // Where two of the user's own groups bear the name, nobody else has to be asked.
    return only !== undefined && others.length === 0 && !unique.has(only) ? [only] : [];
  });
  for (const candidate of await withUniqueNames(session, open, search, signal)) unique.add(candidate);
  return unique;
}

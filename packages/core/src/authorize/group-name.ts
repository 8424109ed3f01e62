import type { Identity, NameMatching } from "@registry-gate/auth";
import { foldValue, parseDN, writeCanonical } from "@registry-gate/auth-kit";

/**
 * The form in which names of groups are compared: Normalization Form C, and a distinguished name in its canonical form,
 * so that however it is written it names the same group. What has a single component is taken for a name.
 */
export function comparableGroup(name: string, matching: NameMatching = "exact"): string {
  const normal = name.normalize("NFC");
  const dn = normal.includes("=") && normal.includes(",") ? parseDN(normal) : undefined;
  if (dn !== undefined && dn.length >= 2) return writeCanonical(dn);
  return matching === "folded" ? foldValue(normal) : normal;
}

/** The form in which names of users are compared. */
export function comparableUser(name: string, matching: NameMatching = "exact"): string {
  // Nobody gets around a rule that denies by a name that looks the same.
  const normal = name.normalize("NFC");
  return matching === "folded" ? foldValue(normal) : normal;
}

/** The groups of somebody, as {@link comparableGroup} writes them. */
export interface ComparableGroups {
  /** For rules that allow. */
  readonly certain: readonly string[];
  /** For rules that deny: also those that somebody may have meant. */
  readonly possible: readonly string[];
}

/** Remembered, because the identity of a remembered login meets many requests. */
const comparable = new WeakMap<Identity, ComparableGroups>();

export function comparableGroups(identity: Identity): ComparableGroups {
  const known = comparable.get(identity);
  if (known !== undefined) return known;
  const { ambiguousGroups = [], nameMatching } = identity;
  const form = (group: string): string => comparableGroup(group, nameMatching);
  const certain = identity.groups.map(form);
  const possible = ambiguousGroups.length === 0 ? certain : [...certain, ...ambiguousGroups.map(form)];
  const groups = { certain, possible };
  comparable.set(identity, groups);
  return groups;
}

import type { Identity, NameMatching } from "@registry-gate/auth";
import { foldValue, parseDN, writeCanonical } from "@registry-gate/auth-kit";

/**
 * The canonical form of a group name for comparison: Normalization Form C, and a distinguished name in its canonical
 * form, so that every spelling of it names the same group. A single component is treated as a plain name.
 */
export function comparableGroup(name: string, matching: NameMatching = "exact"): string {
  const normal = name.normalize("NFC");
  const dn = normal.includes("=") && normal.includes(",") ? parseDN(normal) : undefined;
  if (dn !== undefined && dn.length >= 2) return writeCanonical(dn);
  return matching === "folded" ? foldValue(normal) : normal;
}

/** The canonical form of a user name for comparison. */
export function comparableUser(name: string, matching: NameMatching = "exact"): string {
  // A name that looks the same must not bypass a rule that denies.
  const normal = name.normalize("NFC");
  return matching === "folded" ? foldValue(normal) : normal;
}

/** The groups of a user in the form of {@link comparableGroup}. */
export interface ComparableGroups {
  /** For rules that allow. */
  readonly certain: readonly string[];
  /** For rules that deny: ambiguous ones too. */
  readonly possible: readonly string[];
}

/** Cached, because many requests use the identity of one cached login. */
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

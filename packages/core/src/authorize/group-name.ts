import type { Identity } from "@registry-gate/auth";
import { parseDN, writeCanonical } from "@registry-gate/distinguished-name";

/**
 * The form in which names of groups are compared: Normalization Form C, and a distinguished name in its canonical form,
 * so that however it is written it names the same group. What has a single component is taken for a name.
 */
export function comparableGroup(name: string): string {
  const normal = name.normalize("NFC");
  const dn = normal.includes("=") && normal.includes(",") ? parseDN(normal) : undefined;
  return dn === undefined || dn.length < 2 ? normal : writeCanonical(dn);
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
  const certain = identity.groups.map(comparableGroup);
  const { ambiguousGroups = [] } = identity;
  const possible = ambiguousGroups.length === 0 ? certain : [...certain, ...ambiguousGroups.map(comparableGroup)];
  const groups = { certain, possible };
  comparable.set(identity, groups);
  return groups;
}

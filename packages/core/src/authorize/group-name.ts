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

/** Remembered, because the identity of a remembered login meets many requests. */
const comparable = new WeakMap<Identity, readonly string[]>();

/** The groups of somebody, as {@link comparableGroup} writes them. */
export function comparableGroups(identity: Identity): readonly string[] {
  const known = comparable.get(identity);
  if (known !== undefined) return known;
  const groups = identity.groups.map(comparableGroup);
  comparable.set(identity, groups);
  return groups;
}

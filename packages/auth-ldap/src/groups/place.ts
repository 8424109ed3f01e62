import { type DN, isWithin } from "@registry-gate/distinguished-name";
import type { GroupSettings } from "../settings.ts";

/** Whether an entry stands where groups are searched for; those elsewhere do not count. */
export function isInPlace(dn: DN, { base, scope }: Pick<GroupSettings, "base" | "scope">): boolean {
  if (base === undefined) return true;
  return scope === "one" ? isDirectlyBelow(dn, base.dn) : isWithin(dn, base.dn);
}

/** Whether the entry that the base names is the parent of this one. */
export function isDirectlyBelow(dn: DN, base: DN): boolean {
  return dn.length === base.length + 1 && isWithin(dn, base);
}

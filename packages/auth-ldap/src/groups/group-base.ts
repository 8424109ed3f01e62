import { endsWith } from "@registry-gate/auth-kit";
import type { GroupSettings } from "../settings.ts";
import type { FoundGroup } from "./group.ts";

/** Whether a group stands where groups are searched for; those elsewhere do not count. */
export function isBelowGroupBase(group: FoundGroup, settings: GroupSettings): boolean {
  const { base, scope } = settings;
  if (base === undefined) return true;
  return scope === "one" ? isDirectlyBelowGroupBase(group, settings) : endsWith(group.rdns, base.rdns);
}

/** Whether the base of the search for groups is the parent of this one. */
export function isDirectlyBelowGroupBase({ rdns }: FoundGroup, { base }: GroupSettings): boolean {
  return base !== undefined && rdns.length === base.rdns.length + 1 && endsWith(rdns, base.rdns);
}

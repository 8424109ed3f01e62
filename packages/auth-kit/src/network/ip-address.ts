import { isIP } from "node:net";

/**
 * An IP address in one spelling: IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2), however it is written, is the IPv4 address
 * that it stands for. Any other text comes back as it is.
 */
export function plainAddress(address: string): string {
  // Nearly every address on the way of a request: IPv4, or IPv6 that is not mapped.
  if (!MAYBE_MAPPED.test(address) || isIP(address) !== 6) return address;
  return mappedAddress(ipv6Groups(address)) ?? address;
}

/** `ffff` as a group of its own; a zone, which no mapped address has, makes it something else. */
const MAYBE_MAPPED = /^[0:]*:ffff:[^%]+$/i;

/** The IPv4 address that the groups of an IPv6 address stand for. */
export function mappedAddress(groups: readonly number[]): string | undefined {
  const [high, low] = groups.slice(6);
  if (high === undefined || low === undefined) return undefined;
  if (groups.slice(0, 5).some((group) => group !== 0) || groups[5] !== 0xffff) return undefined;
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}

/**
 * The eight groups of an IPv6 address as numbers; its zone is left out.
 *
 * @param address For which `isIP` is 6.
 */
export function ipv6Groups(address: string): readonly number[] {
  const [head = "", tail] = address.replace(/%.*$/s, "").split("::", 2);
  const before = groupsOf(head);
  if (tail === undefined) return before;
  const after = groupsOf(tail);
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return Number.parseInt(group, 16);
    // An IPv4 address at the end stands for two groups (RFC 4291, section 2.2).
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

import { addressBlock, addressFault } from "@registry-gate/auth-kit";

/** The shortest prefixes of private networks: 10.0.0.0/8 (RFC 1918) and fc00::/7 (RFC 4193). */
const SHORTEST = { ipv4: 8, ipv6: 7 };

/** What is wrong with an entry of `trustedProxies`; `anyPeer` allows blocks as wide as `0.0.0.0/0`. */
export function peerFault(entry: string, anyPeer: boolean): string | undefined {
  const block = addressBlock(entry);
  if (block === undefined) return addressFault(entry);
  if (anyPeer || block.prefix >= SHORTEST[block.family]) return undefined;
  return "is wider than any private network, so strangers could impersonate users: narrow it to the proxy's own address, or set trustAnyPeer";
}

import { isIPv6 } from "node:net";
import type { Identity } from "@registry-gate/auth";
import { ipv6Groups } from "./ipv6-groups.ts";

/** Names whoever is at an address, for counting. No such key is also one of a user. */
export function addressKey(address: string | undefined): string {
  if (address === undefined) return "unix:";
  if (!isIPv6(address)) return `address:${address}`;
  // 64 bits name one site: the rest is its own to choose (RFC 6177).
  const site = ipv6Groups(address).slice(0, 4);
  return `address:${site.map((group) => group.toString(16)).join(":")}::/64`;
}

const userKeys = new WeakMap<Identity, string>();

/** Names a user for counting, and for whatever must not be shared between two of them. */
export function userKey(identity: Identity): string {
  const known = userKeys.get(identity);
  if (known !== undefined) return known;
  const key = `user:${JSON.stringify([identity.backend, identity.subject])}`;
  userKeys.set(identity, key);
  return key;
}

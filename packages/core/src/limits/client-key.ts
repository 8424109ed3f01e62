import type { Identity, Principal } from "@registry-gate/auth";
import { clientNetwork } from "@registry-gate/auth-kit";

/** Names whoever is at an address, for counting. No such key is also one of a user. */
export function addressKey(address: string | undefined): string {
  return `address:${clientNetwork(address)}`;
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

/** Names who is asking: the user, or the address without one. */
export function clientKey(principal: Principal, address: string | undefined): string {
  return principal.kind === "user" ? userKey(principal.identity) : addressKey(address);
}

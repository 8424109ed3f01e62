import type { Identity, Principal } from "@registry-gate/auth";
import { clientNetwork } from "@registry-gate/auth-kit";

/** The keys of the latest addresses. */
const addressKeys = new Map<string | undefined, string>();
const mostAddressKeys = 1024;

/** The key for counting the requests of an address. It never equals the key of a user. */
export function addressKey(address: string | undefined): string {
  const known = addressKeys.get(address);
  if (known !== undefined) return known;
  const key = `address:${clientNetwork(address)}`;
  if (addressKeys.size >= mostAddressKeys) addressKeys.clear();
  addressKeys.set(address, key);
  return key;
}

const userKeys = new WeakMap<Identity, string>();

/** The key for counting the requests of a user, and for resources that users must not share. */
export function userKey(identity: Identity): string {
  const known = userKeys.get(identity);
  if (known !== undefined) return known;
  const key = `user:${JSON.stringify([identity.backend, identity.subject])}`;
  userKeys.set(identity, key);
  return key;
}

/** The key of a caller: of the user, or of the address without one. */
export function clientKey(principal: Principal, address: string | undefined): string {
  return principal.kind === "user" ? userKey(principal.identity) : addressKey(address);
}

import { BlockList, isIP } from "node:net";
import type { Peer } from "@registry-gate/auth";
import { addressBlock } from "./address-block.ts";
import { plainAddress } from "./ip-address.ts";

/** Stands for the peers on a Unix socket among the entries of an {@link AddressSet}. */
const UNIX_SOCKETS = "unix:";

/** A set of addresses, given as single addresses, CIDR blocks, and `unix:` for peers on a Unix socket. */
export interface AddressSet {
  /**
   * Whether an IPv4 or IPv6 address belongs to it, in any spelling. The zone of an address does not count. What is no
   * address belongs to no set.
   */
  has(address: string): boolean;
  /** Whether a peer belongs to it. */
  hasPeer(peer: Pick<Peer, "address" | "unixSocket">): boolean;
  /** Whether peers on a Unix socket belong to it. */
  readonly unixSocket: boolean;
}

/**
 * Makes a set of addresses.
 *
 * @throws {SyntaxError} that says what is wrong with an entry: see {@link addressFault}.
 */
export function addressSet(entries: readonly string[]): AddressSet {
  // One list for each family: a BlockList counts every IPv4 address to a wide IPv6 block such as ::/8.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const entry of entries) {
    if (entry === UNIX_SOCKETS) continue;
    const block = addressBlock(entry);
    if (block === undefined) throw new SyntaxError(`${entry}: ${addressFault(entry)}`);
    lists[block.family].addSubnet(block.address, block.prefix, block.family);
  }
  const unixSocket = entries.includes(UNIX_SOCKETS);
  const has = (address: string): boolean => {
    const plain = plainAddress(address);
    const version = isIP(plain);
    if (version === 0) return false;
    return version === 4 ? lists.ipv4.check(plain, "ipv4") : lists.ipv6.check(plain, "ipv6");
  };
  return {
    has,
    hasPeer: (peer) => (peer.address === undefined ? unixSocket && peer.unixSocket : has(peer.address)),
    unixSocket,
  };
}

/** What is wrong with an entry of an {@link addressSet}. */
export function addressFault(entry: string): string | undefined {
  if (entry === UNIX_SOCKETS || addressBlock(entry) !== undefined) return undefined;
  const zone = isIP(entry.split("/", 1)[0] ?? "") === 6 && entry.includes("%");
  if (zone) return "must be an address without a zone: write fe80::1, or a block such as fe80::/10";
  return "must be an IP address, a CIDR block such as 10.0.0.0/8, or unix:";
}

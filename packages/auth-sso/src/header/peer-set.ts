import { BlockList, isIP, SocketAddress } from "node:net";
import type { Peer } from "@registry-gate/auth";

/** Addresses of proxies. */
export interface PeerSet {
  has(peer: Peer): boolean;
}

interface Block {
  readonly family: "ipv4" | "ipv6";
  readonly address: string;
  readonly prefix: number;
}

const UNIX = "unix:";
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** The shortest prefixes of private networks: 10.0.0.0/8 (RFC 1918) and fc00::/7 (RFC 4193). */
const SHORTEST = { ipv4: 8, ipv6: 7 };

/** What is wrong with an entry; `anyPeer` allows blocks as wide as `0.0.0.0/0`. */
export function peerFault(entry: string, anyPeer: boolean): string | undefined {
  if (entry === UNIX) return undefined;
  const block = parseBlock(entry);
  if (block === undefined) return "must be an IP address, a CIDR block such as 10.0.0.0/8, or unix:";
  if (anyPeer || block.prefix >= SHORTEST[block.family]) return undefined;
  return `is wider than any private network, so that strangers could name themselves: narrow it to the proxy's own address, or set trustAnyPeer`;
}

/** @param entries For which {@link peerFault} found nothing. */
export function peerSet(entries: readonly string[]): PeerSet {
  // One list for each family: a BlockList takes an IPv4 address for a member of a wide IPv6 block such as ::/8.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const entry of entries) {
    const block = parseBlock(entry);
    if (block !== undefined) lists[block.family].addSubnet(block.address, block.prefix, block.family);
  }
  const local = entries.includes(UNIX);
  return {
    has({ address, local: isLocal }) {
      if (address === undefined) return local && isLocal;
      const version = isIP(address);
      if (version === 0) return false;
      if (version === 4) return lists.ipv4.check(address, "ipv4");
      return lists.ipv6.check(address, "ipv6") || lists.ipv4.check(address, "ipv6");
    },
  };
}

function parseBlock(entry: string): Block | undefined {
  const [, address = "", suffix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const version = isIP(address);
  if (version === 0 || address.includes("%")) return undefined;
  const bits = version === 4 ? 32 : 128;
  const prefix = suffix === undefined ? bits : Number(suffix);
  if (prefix > bits) return undefined;
  if (version === 4) return { family: "ipv4", address, prefix };
  // `::ffff:0a00:0/104` is 10.0.0.0/8 in another spelling.
  const plain = MAPPED.exec(new SocketAddress({ address, family: "ipv6" }).address)?.[1];
  if (plain !== undefined && prefix >= 96) return { family: "ipv4", address: plain, prefix: prefix - 96 };
  return { family: "ipv6", address, prefix };
}

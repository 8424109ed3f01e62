import { BlockList, isIP, type Socket } from "node:net";

/** The address at the other end of the connection, IPv4-mapped IPv6 written as IPv4; `undefined` on a Unix socket. */
export function peerAddress(socket: Socket): string | undefined {
  const address = socket.remoteAddress;
  if (address === undefined) return undefined;
  return plainAddress(address);
}

/** An IPv4-mapped IPv6 address as IPv4; any other text as it is. */
export function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice("::ffff:".length) : address;
}

/**
 * Whether the peer is on a Unix socket. A TCP connection that the peer has reset, or that is closed, has no peer's address
 * either; while it is open it still has one of its own.
 */
export function isLocal(socket: Socket): boolean {
  return socket.remoteAddress === undefined && socket.localAddress === undefined && !socket.destroyed;
}

/** Whether the peer has gone: nobody knows any more who it was, and nobody is there to respond to. */
export function isGone(socket: Socket): boolean {
  return socket.destroyed || (socket.remoteAddress === undefined && !isLocal(socket));
}

/** A set of addresses, given as single addresses, CIDR blocks, and `unix:` for peers on a Unix socket. */
export interface AddressSet {
  /** Whether an IPv4 or IPv6 address belongs to it. */
  has(address: string): boolean;
  /** Whether peers on a Unix socket belong to it. */
  readonly local: boolean;
}

/** @throws {SyntaxError} that says what is wrong with an entry. */
export function addressSet(entries: readonly string[]): AddressSet {
  // One list for each family: a BlockList counts every IPv4 address to a wide IPv6 block such as ::/8.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  let local = false;
  for (const entry of entries) {
    if (entry === "unix:") {
      local = true;
      continue;
    }
    const block = parseBlock(entry);
    if (block === undefined) throw new SyntaxError(`${entry} is neither an IP address nor a CIDR block`);
    lists[block.family].addSubnet(block.address, block.prefix, block.family);
  }
  return {
    has(address) {
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      return lists[family].check(address, family);
    },
    local,
  };
}

/** What is wrong with an entry of an {@link addressSet}. */
export function addressFault(entry: string): string | undefined {
  return entry === "unix:" || parseBlock(entry) !== undefined
    ? undefined
    : "must be an IP address, a CIDR block such as 10.0.0.0/8, or unix:";
}

function parseBlock(entry: string): { address: string; prefix: number; family: "ipv4" | "ipv6" } | undefined {
  const slash = entry.indexOf("/");
  const address = plainAddress(slash === -1 ? entry : entry.slice(0, slash));
  const version = isIP(address);
  if (version === 0) return undefined;
  const bits = version === 4 ? 32 : 128;
  const text = slash === -1 ? `${bits}` : entry.slice(slash + 1);
  if (!/^\d{1,3}$/.test(text) || Number(text) > bits) return undefined;
  return { address, prefix: Number(text), family: version === 4 ? "ipv4" : "ipv6" };
}

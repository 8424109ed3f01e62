import { BlockList, isIP, type Socket } from "node:net";
import { authority } from "./grammar/authority.ts";
import { listElements } from "./grammar/list-elements.ts";

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
  has(address: string): boolean;
  /** Whether peers on a Unix socket belong to it. */
  readonly local: boolean;
}

/** @throws {SyntaxError} that says what is wrong with an entry; see {@link addressFault} to find out beforehand. */
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

/** Who is asking, as seen from outside, and by which scheme and host. Each text is written from what was parsed. */
export interface Client {
  /** The client's own address, behind every trusted proxy; `undefined` on a Unix socket. */
  readonly address: string | undefined;
  /** For `X-Real-IP`: what a trusted proxy says there, or else the client's address. */
  readonly realAddress: string | undefined;
  /** For `X-Forwarded-For`: addresses alone, of which the last is the peer's. */
  readonly forwardedFor: string;
  readonly scheme: "http" | "https";
  /** The authority that the client used; empty where the `Host` header is malformed, which is refused later. */
  readonly host: string;
  /** What a trusted proxy gave as `X-Forwarded-Host`. */
  readonly forwardedHost: string | undefined;
}

interface Received {
  readonly socket: Socket;
  readonly headers: {
    readonly host?: string | undefined;
    readonly [name: string]: string | readonly string[] | undefined;
  };
}

/** How many addresses of `X-Forwarded-For` are read, from the right: far more than there are proxies on any way. */
const mostAddresses = 32;

/**
 * Tells the client apart from the proxies in front. `X-Forwarded-*` counts only from a peer in `trusted`;
 * `X-Forwarded-For` is walked from the right, and the first address that is not trusted is the client's. What stands
 * left of something that is no address was not written by a proxy of ours, and is left out.
 */
export function clientOf(request: Received, trusted: AddressSet): Client {
  const { headers, socket } = request;
  const peer = peerAddress(socket);
  const host = authority(headers.host ?? "") ?? "";
  const ownScheme = "encrypted" in socket ? "https" : "http";
  if (!(peer === undefined ? trusted.local && isLocal(socket) : trusted.has(peer))) {
    const forwardedFor = peer ?? "";
    return { address: peer, realAddress: peer, forwardedFor, scheme: ownScheme, host, forwardedHost: undefined };
  }
  const chain = lastAddresses(list(headers["x-forwarded-for"]));
  const scheme = list(headers["x-forwarded-proto"]).at(-1)?.toLowerCase();
  const forwardedHost = authority(list(headers["x-forwarded-host"]).at(-1) ?? "");
  const address = firstUntrusted(chain, trusted) ?? peer;
  return {
    address,
    realAddress: parseAddress(list(headers["x-real-ip"]).at(-1) ?? "") ?? address,
    forwardedFor: [...chain, ...(peer === undefined ? [] : [peer])].join(", "),
    scheme: scheme === "http" || scheme === "https" ? scheme : ownScheme,
    host: forwardedHost ?? host,
    forwardedHost,
  };
}

/** An address in the form in which all others are compared with it. A zone means nothing outside its own machine. */
function parseAddress(text: string): string | undefined {
  return isIP(text) === 0 || text.includes("%") ? undefined : plainAddress(text);
}

function lastAddresses(entries: readonly string[]): string[] {
  const addresses: string[] = [];
  for (const entry of entries.slice(-mostAddresses).toReversed()) {
    const address = parseAddress(entry);
    if (address === undefined) break;
    addresses.unshift(address);
  }
  return addresses;
}

function firstUntrusted(chain: readonly string[], trusted: AddressSet): string | undefined {
  return chain.findLast((address) => !trusted.has(address)) ?? chain[0];
}

function list(value: string | readonly string[] | undefined): string[] {
  if (value === undefined) return [];
  return listElements(typeof value === "string" ? value : value.join(","));
}

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

/** Who is asking, as seen from outside, and by which scheme and host. */
export interface Client {
  /** The client's own address, behind every trusted proxy; `undefined` on a Unix socket. */
  readonly address: string | undefined;
  /** For `X-Real-IP`: what a trusted proxy says there, or else the client's address. */
  readonly realAddress: string | undefined;
  readonly forwardedFor: string;
  readonly scheme: "http" | "https";
  /** The authority that the client used. */
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

const authorityPattern = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** Whether `text` can stand in a `Host` header: a host name or an address, perhaps with a port. */
export function isAuthority(text: string): boolean {
  return authorityPattern.test(text);
}

/**
 * Tells the client apart from the proxies in front. `X-Forwarded-*` counts only from a peer in `trusted`;
 * `X-Forwarded-For` is walked from the right, and the first address that is not trusted is the client's.
 */
export function clientOf(request: Received, trusted: AddressSet): Client {
  const { headers, socket } = request;
  const peer = peerAddress(socket);
  const host = headers.host ?? "";
  const ownScheme = "encrypted" in socket ? "https" : "http";
  if (!(peer === undefined ? trusted.local && isLocal(socket) : trusted.has(peer))) {
    const forwardedFor = peer ?? "";
    return { address: peer, realAddress: peer, forwardedFor, scheme: ownScheme, host, forwardedHost: undefined };
  }
  const chain = list(headers["x-forwarded-for"]);
  const scheme = list(headers["x-forwarded-proto"]).at(-1)?.toLowerCase();
  const forwardedHost = list(headers["x-forwarded-host"]).at(-1);
  const usableHost = forwardedHost !== undefined && isAuthority(forwardedHost) ? forwardedHost : undefined;
  const address = firstUntrusted(chain, trusted) ?? peer;
  const realAddress = list(headers["x-real-ip"]).at(-1);
  return {
    address,
    realAddress: realAddress !== undefined && isIP(realAddress) !== 0 ? realAddress : address,
    forwardedFor: [...chain, ...(peer === undefined ? [] : [peer])].join(", "),
    scheme: scheme === "http" || scheme === "https" ? scheme : ownScheme,
    host: usableHost ?? host,
    forwardedHost: usableHost,
  };
}

function firstUntrusted(chain: readonly string[], trusted: AddressSet): string | undefined {
  let nearest: string | undefined;
  for (const entry of chain.toReversed()) {
    const address = plainAddress(entry);
    if (isIP(address) === 0) break;
    nearest = address;
    if (!trusted.has(address)) break;
  }
  return nearest;
}

function list(value: string | readonly string[] | undefined): string[] {
  const text = typeof value === "string" ? value : (value?.join(",") ?? "");
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

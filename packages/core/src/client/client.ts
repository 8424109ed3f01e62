import type { Socket } from "node:net";
import type { AddressSet } from "@registry-gate/auth-kit";
import { authority } from "../grammar/authority.ts";
import { readRequestId } from "../respond/request-id.ts";
import { type ForwardedClaims, forwarded, type ReceivedHeaders, realAddress, xForwarded } from "./forwarded.ts";
import { isUnixSocket, peerAddress } from "./peer.ts";

/**
 * The client as trusted proxies report it, and the scheme and host it used. Each value is written anew from what was
 * parsed.
 */
export interface Client {
  /** The client's own address, behind every trusted proxy; `undefined` on a Unix socket. */
  readonly address: string | undefined;
  /** For `X-Real-IP`: the value from a trusted proxy, or else the client's address. */
  readonly realAddress: string | undefined;
  /** For `X-Forwarded-For`: addresses only, the last one the peer's. */
  readonly forwardedFor: string;
  readonly scheme: "http" | "https";
  /** The authority that the client used; empty for a malformed `Host` header, which is refused later. */
  readonly host: string;
  /** The host that a trusted proxy received. */
  readonly forwardedHost: string | undefined;
  /** The `X-Request-Id` of a trusted proxy. */
  readonly requestId?: string;
  /** Whether a trusted proxy sends contradictory `Forwarded` and `X-Forwarded-*`. */
  readonly contradictory?: true;
}

interface Received {
  readonly socket: Socket;
  readonly headers: ReceivedHeaders & { readonly host?: string | undefined };
}

/**
 * Finds the client behind proxies. `X-Forwarded-*` and `Forwarded` count only from a peer in `trusted`, and are read
 * from the right: the first address that is not trusted is the client's, and its scheme and host are those that the
 * outermost trusted proxy received.
 *
 * `Forwarded` is ignored where any of `X-Forwarded-For`, `-Proto`, `-Host` and `X-Real-IP` is present: most proxies set
 * only these, and pass on whatever `Forwarded` the client sent.
 */
export function clientOf({ headers, socket }: Received, trusted: AddressSet): Client {
  const peer = peerAddress(socket);
  const host = authority(headers.host ?? "") ?? "";
  const scheme = "encrypted" in socket ? "https" : "http";
  const direct: Client = {
    address: peer,
    realAddress: peer,
    forwardedFor: peer ?? "",
    scheme,
    host,
    forwardedHost: undefined,
  };
  if (!(peer === undefined ? trusted.unixSocket && isUnixSocket(socket) : trusted.has(peer))) return direct;
  const requestId = readRequestId(headers["x-request-id"]);
  const named = { ...direct, ...(requestId !== undefined && { requestId }) };
  const older = xForwarded(headers);
  const newer = headers.forwarded === undefined ? undefined : forwarded(headers);
  if (older === undefined) return newer === undefined ? named : behind(named, newer, trusted);
  const client = behind(named, older, trusted);
  const known = { ...client, realAddress: realAddress(headers) ?? client.address };
  return newer !== undefined && contradicts(behind(direct, newer, trusted), known, direct)
    ? { ...known, contradictory: true }
    : known;
}

/**
 * Makes a function that finds the client as {@link clientOf} does. A peer that is not trusted is the client itself, and of its
 * headers only `Host` counts: where it repeats that on a connection, what was found is found again.
 */
export function clientFinder(trusted: AddressSet): (received: Received) => Client {
  const found = new WeakMap<Socket, { readonly host: string | undefined; readonly client: Client }>();
  return (received) => {
    const { socket, headers } = received;
    const before = found.get(socket);
    if (before !== undefined && before.host === headers.host) return before.client;
    const client = clientOf(received, trusted);
    const peer = peerAddress(socket);
    if (peer !== undefined && !trusted.has(peer)) found.set(socket, { host: headers.host, client });
    return client;
  };
}

function behind(direct: Client, claims: ForwardedClaims, trusted: AddressSet): Client {
  const { senders } = claims;
  const isTrusted = (sender: string | undefined): boolean => sender !== undefined && trusted.has(sender);
  // The peer, and each trusted sender that appended a value of its own.
  let proxies = 1;
  while (proxies < senders.length && isTrusted(senders.at(-proxies))) proxies++;
  const address = senders.slice(-proxies).find((sender) => sender !== undefined) ?? direct.address;
  const forwardedHost = claims.host(proxies);
  return {
    ...direct,
    address,
    realAddress: address,
    forwardedFor: [...knownSenders(senders), ...(direct.address === undefined ? [] : [direct.address])].join(", "),
    scheme: claims.scheme(proxies) ?? direct.scheme,
    host: forwardedHost ?? direct.host,
    forwardedHost,
  };
}

/** Values to the left of an invalid address do not come from a trusted proxy, and are ignored. */
function knownSenders(senders: readonly (string | undefined)[]): readonly (string | undefined)[] {
  return senders.slice(senders.lastIndexOf(undefined) + 1);
}

/** Whether `one` has a value that `other` contradicts. */
function contradicts(one: Client, other: Client, silence: Client): boolean {
  const differs = (key: "address" | "scheme" | "host"): boolean => one[key] !== silence[key] && one[key] !== other[key];
  return differs("address") || differs("scheme") || differs("host");
}

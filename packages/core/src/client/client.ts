import type { Socket } from "node:net";
import type { AddressSet } from "@registry-gate/auth-kit";
import { authority } from "../grammar/authority.ts";
import { readRequestId } from "../respond/request-id.ts";
import { type ForwardedClaims, forwarded, type ReceivedHeaders, realAddress, xForwarded } from "./forwarded.ts";
import { isLocal, peerAddress } from "./peer.ts";

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
  /** What a trusted proxy gave as the host that it was asked for. */
  readonly forwardedHost: string | undefined;
  /** What a trusted proxy calls the request, in `X-Request-Id`. */
  readonly requestId?: string;
  /** A trusted proxy says one thing in `Forwarded` and another in `X-Forwarded-*`. */
  readonly contradictory?: true;
}

interface Received {
  readonly socket: Socket;
  readonly headers: ReceivedHeaders & { readonly host?: string | undefined };
}

/**
 * Tells the client apart from the proxies in front. `X-Forwarded-*` and `Forwarded` count only from a peer in `trusted`, and
 * are walked from the right, as long as what is named is trusted too: the first address that is not is the client's, and its
 * scheme and host are those that the outermost trusted proxy has seen.
 *
 * Where there is any of `X-Forwarded-For`, `-Proto`, `-Host` and `X-Real-IP`, `Forwarded` does not count: most proxies know
 * the former alone, and pass on whatever a client has written in the latter.
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
  if (!(peer === undefined ? trusted.local && isLocal(socket) : trusted.has(peer))) return direct;
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

function behind(direct: Client, claims: ForwardedClaims, trusted: AddressSet): Client {
  const { senders } = claims;
  const isTrusted = (sender: string | undefined): boolean => sender !== undefined && trusted.has(sender);
  // The peer, and each trusted sender that has said something itself.
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

/** What stands left of something that is no address was not written by a proxy of ours, and is left out. */
function knownSenders(senders: readonly (string | undefined)[]): readonly (string | undefined)[] {
  return senders.slice(senders.lastIndexOf(undefined) + 1);
}

/** Whether `one` says something, and `other` something else. */
function contradicts(one: Client, other: Client, silence: Client): boolean {
  const differs = (key: "address" | "scheme" | "host"): boolean => one[key] !== silence[key] && one[key] !== other[key];
  return differs("address") || differs("scheme") || differs("host");
}

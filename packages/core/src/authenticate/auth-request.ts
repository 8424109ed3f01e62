import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { AuthRequest, Credentials, Peer } from "@registry-gate/auth";
import { isUnixSocket, peerAddress } from "../client/peer.ts";

/**
 * The part of a request that backends see.
 *
 * @param client The address of the client behind trusted proxies.
 */
export function authRequest(
  request: IncomingMessage,
  client: string | undefined,
  credentials: Credentials | undefined,
  credentialHeaders: readonly string[],
  signal: AbortSignal,
): AuthRequest {
  return {
    credentials,
    peer: peerOf(request),
    client,
    ...(request.headers["user-agent"] !== undefined && { agent: request.headers["user-agent"] }),
    header: (name) => (credentialHeaders.includes(name) ? (request.headersDistinct[name] ?? []) : []),
    signal,
  };
}

/** The peer of a request's connection, for code that calls a backend itself. */
export function peerOf({ socket }: IncomingMessage): Peer {
  const peer = { address: peerAddress(socket), unixSocket: isUnixSocket(socket) };
  if (!(socket instanceof TLSSocket) || !socket.authorized) return peer;
  return { ...peer, certificateFingerprint: socket.getPeerCertificate().fingerprint256 };
}

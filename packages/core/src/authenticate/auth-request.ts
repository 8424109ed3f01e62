import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { AuthRequest, Credentials, Peer } from "@registry-gate/auth";
import { isUnixSocket, peerAddress } from "../client/peer.ts";
import type { LoginSource } from "./authenticator.ts";

/**
 * The part of a request that backends see.
 *
 * @param source The client's address is that behind trusted proxies.
 */
export function authRequest(
  request: IncomingMessage,
  { address, requestId }: LoginSource,
  credentials: Credentials | undefined,
  credentialHeaders: readonly string[],
  signal: AbortSignal,
): AuthRequest {
  return {
    credentials,
    peer: peerOf(request),
    client: address,
    ...(requestId !== undefined && { requestId }),
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

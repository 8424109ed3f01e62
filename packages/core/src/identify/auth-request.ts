import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { AuthBackend, AuthRequest, Credentials, Peer } from "@registry-gate/auth";
import { isLocal, peerAddress } from "../peer.ts";
import { parseAuthorization } from "./authorization.ts";

/** What backends are told of a request. */
export function authRequest(
  request: IncomingMessage,
  credentials: Credentials | undefined,
  credentialHeaders: readonly string[],
  signal: AbortSignal,
): AuthRequest {
  return {
    credentials,
    peer: peerOf(request),
    header: (name) => (credentialHeaders.includes(name) ? (request.headersDistinct[name] ?? []) : []),
    signal,
  };
}

/**
 * What the gate would ask a backend about a request: for code of your own that asks one.
 *
 * @param signal Aborts when the answer is no longer wanted.
 * @returns `undefined` where the `Authorization` header is malformed or stands twice: no backend may see it.
 */
export function authRequestOf(
  request: IncomingMessage,
  backend: Pick<AuthBackend, "credentialHeaders">,
  signal: AbortSignal,
): AuthRequest | undefined {
  const [authorization, ...more] = request.headersDistinct.authorization ?? [];
  const credentials = authorization === undefined ? undefined : parseAuthorization(authorization);
  if (more.length > 0 || (authorization !== undefined && credentials === undefined)) return undefined;
  return authRequest(request, credentials, backend.credentialHeaders ?? [], signal);
}

/** The other end of a request's connection, for code of your own that asks a backend. */
export function peerOf({ socket }: IncomingMessage): Peer {
  const peer = { address: peerAddress(socket), local: isLocal(socket) };
  if (!(socket instanceof TLSSocket) || !socket.authorized) return peer;
  return { ...peer, certificateFingerprint: socket.getPeerCertificate().fingerprint256 };
}

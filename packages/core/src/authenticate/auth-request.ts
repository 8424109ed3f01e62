import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { AuthBackend, AuthRequest, Credentials, Peer } from "@registry-gate/auth";
import { addressSet, maxAuthorizationLength, parseAuthorization } from "@registry-gate/auth-kit";
import { clientOf } from "../client/client.ts";
import { isLocal, peerAddress } from "../client/peer.ts";
import { foreignAuthorization } from "./foreign-authorization.ts";

/**
 * What backends are told of a request.
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

/**
 * What the gate would ask a backend about a request: for code of your own that asks one.
 *
 * @param signal Aborts when the answer is no longer wanted.
 * @param client The address of the client, as {@link clientAddressReader} reads it. Default: that of the peer.
 * @returns `undefined` where the `Authorization` header is malformed or stands twice: no backend may see it. One that a
 * proxy left there for itself, such as `Negotiate`, is left out: whom no backend knows then must not pass as anonymous.
 */
export function authRequestOf(
  request: IncomingMessage,
  backend: Pick<AuthBackend, "credentialHeaders" | "maxCredentialBytes">,
  signal: AbortSignal,
  client: string | undefined = peerAddress(request.socket),
): AuthRequest | undefined {
  const [authorization, ...more] = request.headersDistinct.authorization ?? [];
  if (more.length > 0) return undefined;
  const maxLength = maxAuthorizationLength(backend.maxCredentialBytes);
  const parsed = authorization === undefined ? "nobody" : parseAuthorization(authorization, maxLength);
  const unread = authorization !== undefined && parsed === undefined;
  if (unread && foreignAuthorization(authorization) === undefined) return undefined;
  return authRequest(
    request,
    client,
    parsed === "nobody" ? undefined : parsed,
    backend.credentialHeaders ?? [],
    signal,
  );
}

/** The other end of a request's connection, for code of your own that asks a backend. */
export function peerOf({ socket }: IncomingMessage): Peer {
  const peer = { address: peerAddress(socket), local: isLocal(socket) };
  if (!(socket instanceof TLSSocket) || !socket.authorized) return peer;
  return { ...peer, certificateFingerprint: socket.getPeerCertificate().fingerprint256 };
}

/**
 * Makes a function that reads the address of the client, as the gate itself does, for code of your own that asks a
 * backend. A client on a Unix socket has none.
 *
 * @param trustedProxies As in the options of `registryProxy`.
 * @throws {SyntaxError} for an entry that is no address, CIDR block or `unix:`.
 */
export function clientAddressReader(
  trustedProxies: readonly string[],
): (request: IncomingMessage) => string | undefined {
  const trusted = addressSet(trustedProxies);
  return (request) => clientOf(request, trusted).address;
}

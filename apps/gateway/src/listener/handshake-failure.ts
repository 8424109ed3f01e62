import type { TLSSocket } from "node:tls";

/** A TLS handshake that failed. */
export interface HandshakeFailure {
  /** The peer's address; `undefined` on a Unix socket. */
  readonly client: string | undefined;
  /** For the log. */
  readonly reason: string;
  /** OpenSSL's or Node's own. */
  readonly code: string | undefined;
}

/** Why a handshake failed, without who tried it. */
export type HandshakeFault = Pick<HandshakeFailure, "reason" | "code">;

/** The client closed or reset the connection, without saying why. */
export const leftHandshake: HandshakeFault = {
  reason: "the client closed the connection; it may not trust the certificate",
  code: undefined,
};

export const slowHandshake: HandshakeFault = { reason: "timed out", code: undefined };

/** What OpenSSL's codes mean to an operator. Alerts are what the client reports. */
const meanings: readonly (readonly [code: RegExp, reason: string])[] = [
  [
    /ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/,
    "the client rejected the gate's certificate",
  ],
  [/ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW/, "no version of TLS in common"],
  [/NO_SHARED_CIPHER|ALERT_HANDSHAKE_FAILURE/, "no cipher suite in common"],
  [/HANDSHAKE_TIMEOUT/, slowHandshake.reason],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE/, "the client sent no certificate"],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNEXPECTED_MESSAGE/, "the client does not speak TLS"],
];

/** Reads an error that Node reports as `tlsClientError`. */
export function handshakeFault(error: Error & { readonly code?: string }, socket: TLSSocket): HandshakeFault {
  // Of a certificate that it does not accept, Node says no more than that the connection is over.
  const refusal: unknown = socket.authorizationError;
  if (typeof refusal === "string") return { reason: "the client's certificate was rejected", code: refusal };
  const { code } = error;
  if (code === undefined || code === "ECONNRESET" || code === "EPIPE") return leftHandshake;
  const meaning = meanings.find(([pattern]) => pattern.test(code));
  return { reason: meaning?.[1] ?? "handshake failed", code };
}

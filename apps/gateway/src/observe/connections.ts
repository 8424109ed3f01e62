import { type Channel, openChannel } from "@registry-gate/auth-kit";

/** Connections that were closed because a limit was reached, since the last message; at most every ten seconds. */
export interface ConnectionLimit {
  /** How many were closed at once, because their address had too many. */
  readonly refused: number;
  /** How many were idle, and closed for others. */
  readonly evicted: number;
}

/** A TLS handshake of a client that came to nothing. */
export interface HandshakeFailed {
  /** OpenSSL's or Node's own, such as `ERR_SSL_TLSV1_ALERT_UNKNOWN_CA`. */
  readonly code: string | undefined;
}

/** What a client sent was no valid HTTP request. */
export interface RequestUnreadable {
  /** Of the response. */
  readonly status: number;
}

/** Limits of connections that were reached. */
export const connectionLimit: Channel<ConnectionLimit> = openChannel("registry-gate:connection:limit");
/** Failed TLS handshakes. */
export const handshakeFailed: Channel<HandshakeFailed> = openChannel("registry-gate:handshake:failed");
/** Requests that Node could not parse. */
export const requestUnreadable: Channel<RequestUnreadable> = openChannel("registry-gate:request:unreadable");

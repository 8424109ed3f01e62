import type { AuthRequest, Credentials, Peer } from "@registry-gate/auth";

/** What a request says of who is asking. */
export interface Ask {
  readonly credentials?: Credentials;
  /** Headers by their names in lower case, each with all its values. */
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  /** Default: a peer at 127.0.0.1. */
  readonly peer?: Peer;
  /** The address of the client behind trusted proxies. Default: that of the peer. */
  readonly client?: string;
}

/** A login with a password (RFC 7617). */
export function basicAsk(username: string, password: string): Ask {
  return { credentials: { scheme: "basic", username, password } };
}

/** A token (RFC 6750). */
export function bearerAsk(token: string): Ask {
  return { credentials: { scheme: "bearer", token } };
}

const loopback: Peer = { address: "127.0.0.1", unixSocket: false };

/**
 * The request that a gate would make of it.
 *
 * @param signal Default: one that never aborts.
 */
export function authRequest(ask: Ask, signal?: AbortSignal): AuthRequest {
  const { credentials, headers = {}, peer = loopback, client = peer.address } = ask;
  return {
    credentials,
    peer,
    client,
    header: (name) => (Object.hasOwn(headers, name) ? (headers[name] ?? []) : []),
    signal: signal ?? new AbortController().signal,
  };
}

import type { Principal } from "@registry-gate/auth";

/** What was decided about a request. */
export type Decision =
  /**
   * Forwarded to the registry, a response made from the registry's responses, or a CORS preflight of an allowed origin.
   */
  | "allowed"
  /** 401: no valid credentials. Also where the client disconnected before the decision. */
  | "unauthenticated"
  /** 403: authenticated but not allowed; 401 where a Bearer token with a wider scope would be. */
  | "denied"
  /** 429: too many failed logins, or too many concurrent requests of one client. */
  | "throttled"
  /** 400, 404, 405, 415, 417, 431 or 505: not a valid registry request. */
  | "refused"
  /** 503 or 500: no decision, because a backend is unavailable or the gate is at its limits. */
  | "unavailable";

/** The step in which a request ended. */
export type Phase = "validate" | "route" | "authenticate" | "authorize" | "forward" | "respond";

/** How a request ended. */
export type Outcome =
  /** The whole response was sent. */
  | "completed"
  /** The client disconnected before the whole response was sent. */
  | "client-aborted"
  /** The registry sent no response, a broken one, or a 5xx. */
  | "upstream-error"
  /** The registry was silent (504), or the client sent (408) or read too slowly. */
  | "timeout"
  /** An internal error: 500, or a truncated response. */
  | "internal-error";

/**
 * How a request for a manifest or blob fared at the cache of content:
 *
 * - `hit`: the response is from memory, and the registry was not asked
 * - `revalidated`: it is from memory, and the registry has confirmed it
 * - `joined`: it is that of another request in progress
 * - `miss`: it is the registry's
 */
export type CacheResult = "hit" | "revalidated" | "joined" | "miss";

/** The kinds of tokens that a token endpoint gives out: `refresh` comes together with an access token. */
export type IssuedToken = "access" | "refresh";

/** The record of one finished request, without any secret. */
export interface RequestRecord {
  /** As in the response's `X-Request-Id`: the id from a trusted proxy, or a UUID. */
  readonly requestId: string;
  readonly method: string;
  /** Undefined where the request is not a valid registry request. */
  readonly operation: string | undefined;
  readonly repository: string | undefined;
  /** A tag or a digest. */
  readonly reference: string | undefined;
  /** Further tags of a manifest that was put by digest; undefined where there are none. */
  readonly tags: readonly string[] | undefined;
  /**
   * The digest of the manifest or blob: from the registry's response, or else from the reference. Undefined where neither
   * says it.
   */
  readonly digest: string | undefined;
  /** The media type of a manifest that the registry has accepted or sent, without parameters. */
  readonly mediaType: string | undefined;
  /** Scheme and host by which the client reaches the gate, such as `https://registry.example.com`. */
  readonly origin: string | undefined;
  /** The client's address, taken from `X-Forwarded-For` only where a trusted proxy says so. */
  readonly client: string | undefined;
  /** The `User-Agent` header: at most 256 characters, control and bidirectional characters escaped. */
  readonly agent: string | undefined;
  readonly username: string | undefined;
  /**
   * The user name of a login that was rejected, throttled or could not be checked: at most 128 characters, control and
   * bidirectional characters escaped. Undefined where the option `attemptedNames` is false.
   */
  readonly attemptedUsername: string | undefined;
  /** Whether credentials were given that are not valid, or no longer. */
  readonly loginRejected: boolean;
  /** The id of the backend that authenticated the user. */
  readonly backend: string | undefined;
  /** The caller with groups, grants and login method; undefined where it was not determined. */
  readonly principal: Principal | undefined;
  readonly decision: Decision;
  /** The index of the rule of `access` that decided; undefined where none did. */
  readonly rule: number | undefined;
  /** What a token endpoint gave out: an access token alone, or one that can be renewed too. */
  readonly issuedToken: IssuedToken | undefined;
  readonly phase: Phase;
  readonly outcome: Outcome;
  /** The reason, in one line. */
  readonly reason: string;
  /** The status of the response; 499 where the client disconnected before it. */
  readonly status: number;
  /** Of the request's body. */
  readonly bytesReceived: number;
  /** Of the response's body. */
  readonly bytesSent: number;
  /** From the request's head to the end of the response. */
  readonly milliseconds: number;
  /** Of these, what the gate took itself: until it gave the request to the registry, or else to the end of the response. */
  readonly gateMilliseconds: number;
  /**
   * Of these, what the registry took: from the end of the request to the head of its response, with the wait for a
   * connection, and with queries of the gate. Undefined where the registry was not asked. The rest is for bodies.
   */
  readonly upstreamMilliseconds: number | undefined;
  /** How it fared at the cache of content; undefined where the cache is off or was not looked into. */
  readonly cache: CacheResult | undefined;
  /** Whether {@link WriteObserver.responded} was called for this request. */
  readonly announced: boolean;
}

/** Takes part in requests that write: those that need `push` or `delete`. */
export interface WriteObserver {
  /**
   * Called before such a request is forwarded.
   *
   * @returns why it must not be, for the record: the client gets 503. `undefined`: it may be.
   */
  refusal(): string | undefined;
  /**
   * Called when the registry has responded, before the client gets any of the response, which waits for the promise. The
   * client gets 503 instead where it rejects.
   *
   * @param record As it will be where the client gets the response; a later one has `announced`.
   * @returns `undefined` where there is nothing to wait for.
   */
  responded(record: RequestRecord): Promise<void> | undefined;
}

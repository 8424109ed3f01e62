import { type Channel, openChannel, type QueueEvent } from "@registry-gate/auth-kit";
import type { CacheResult, RequestRecord } from "./record.ts";

/** The result of one backend for one login. Cached and throttled logins are not published: no backend sees them. */
export interface LoginJudged {
  /** The id of the backend. */
  readonly backend: string;
  /** The scheme of `Authorization`; `none` where other headers, or the connection, authenticate the user. */
  readonly scheme: "basic" | "bearer" | "none";
  /**
   * The status of the result, or
   *
   * - `unavailable`: the backend reported that it is unavailable
   * - `failed`: it threw another error
   * - `aborted`: the client disconnected
   */
  readonly outcome:
    | "authenticated"
    | "anonymous"
    | "rejected"
    | "abstained"
    | "conflicting"
    | "unavailable"
    | "failed"
    | "aborted";
  readonly milliseconds: number;
}

/** A look into the cache of checked logins. */
export interface LoginCache {
  /** `shared`: not cached, but another request with the same login is being checked, and this one waits for the result. */
  readonly event: "hit" | "miss" | "shared";
  /** How many logins are cached. */
  readonly entries: number;
}

/** A login that was not checked, because too many have failed. */
export interface LoginThrottled {
  /** Whose failures were too many: those of a user or a token from one address, or those from the address. */
  readonly limit: "user" | "token" | "address";
}

/** A limit of the option `limits` that ended a request. */
export interface LimitReached {
  readonly limit: "inFlight" | "inFlightPerClient" | "minRate";
}

/** A connection to the registry, TLS included. */
export type UpstreamConnection = {
  /** The registry's host and port, as in the option `upstream.url`. */
  readonly upstream: string;
  /** How long it took to open or to fail; for `closed`, how long it was open. */
  readonly milliseconds: number;
} & (
  | { readonly event: "opened" | "closed" }
  | {
      readonly event: "failed";
      /**
       * Such as `ECONNREFUSED` or `CONNECT_TIMEOUT`; undefined where it was aborted because the client disconnected.
       */
      readonly code: string | undefined;
    }
);

/** Requests that wait for a connection to the registry. */
export type UpstreamQueue = QueueEvent & {
  /** The registry's host and port, as in the option `upstream.url`. */
  readonly upstream: string;
  /** `urgent`: a query of the gate that a request with a connection waits for. */
  readonly queue: "ordinary" | "urgent";
};

/** A look into the cache of content, or a change of what it holds. */
export interface UpstreamCache {
  /** The registry's host and port, as in the option `upstream.url`. */
  readonly upstream: string;
  /** `changed`: a response was kept, or what a write touches was forgotten. */
  readonly event: CacheResult | "changed";
  /** How many responses are kept. */
  readonly entries: number;
  /** The memory that they take, and those that are being collected. */
  readonly bytes: number;
}

/** Finished requests, once for each. */
export const requestFinished: Channel<RequestRecord> = openChannel("registry-gate:request:finished");
/** Requests that a limit ended. */
export const limitReached: Channel<LimitReached> = openChannel("registry-gate:limit:reached");
/** Looks into the cache of checked logins. */
export const loginCache: Channel<LoginCache> = openChannel("registry-gate:login:cache");
/** Logins that were not checked. */
export const loginThrottled: Channel<LoginThrottled> = openChannel("registry-gate:login:throttled");
/** Results of logins, by backend. */
export const loginJudged: Channel<LoginJudged> = openChannel("registry-gate:login:judged");
/** Connections to the registry. */
export const upstreamConnection: Channel<UpstreamConnection> = openChannel("registry-gate:upstream:connection");
/** The queue for connections to the registry. */
export const upstreamQueue: Channel<UpstreamQueue> = openChannel("registry-gate:upstream:queue");
/** The cache of manifests and small blobs. */
export const upstreamCache: Channel<UpstreamCache> = openChannel("registry-gate:upstream:cache");

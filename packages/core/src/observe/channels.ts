import { type Channel, openChannel, type QueueEvent } from "@registry-gate/auth-kit";
import type { RequestRecord } from "./record.ts";

/** What one backend said of one login. A login that is remembered, or throttled, is shown to no backend. */
export interface LoginJudged {
  /** The id of the backend. */
  readonly backend: string;
  /** What the request has in `Authorization`; `none` where other headers, or the connection, say who it is. */
  readonly scheme: "basic" | "bearer" | "none";
  /**
   * As the backend's result says, or
   *
   * - `unavailable`: it could not response, as it says itself
   * - `failed`: it threw something else
   * - `aborted`: nobody waited for it any more
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

/** A connection to the registry, TLS included. */
export type UpstreamConnection = {
  /** The registry's host and port, as in the option `upstream.url`. */
  readonly upstream: string;
  /** How long it took to open, or to fail; of `closed`, how long it was open. */
  readonly milliseconds: number;
} & (
  | { readonly event: "opened" | "closed" }
  | {
      readonly event: "failed";
      /** Such as `ECONNREFUSED` or `CONNECT_TIMEOUT`; undefined where it was given up, because the client left. */
      readonly code: string | undefined;
    }
);

/** Requests that wait for a connection to the registry. */
export type UpstreamQueue = QueueEvent & {
  /** The registry's host and port, as in the option `upstream.url`. */
  readonly upstream: string;
  /** `urgent`: what the gate asks while a request that has a connection waits for the response. */
  readonly queue: "ordinary" | "urgent";
};

/** Requests that are over, once for each. */
export const requestFinished: Channel<RequestRecord> = openChannel("registry-gate:request:finished");
/** Logins that a backend has judged. */
export const loginJudged: Channel<LoginJudged> = openChannel("registry-gate:login:judged");
/** Connections to the registry. */
export const upstreamConnection: Channel<UpstreamConnection> = openChannel("registry-gate:upstream:connection");
/** Waiting for a connection to the registry. */
export const upstreamQueue: Channel<UpstreamQueue> = openChannel("registry-gate:upstream:queue");

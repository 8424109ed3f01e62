import type { OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { CacheResult } from "../observe/record.ts";
import type { Route } from "../route/route.ts";

/** A request to the registry, built by the gate; it contains nothing of the client's raw head. */
export interface UpstreamRequest {
  readonly method: string;
  /** A request target in origin-form: path and query. */
  readonly target: string;
  /** By names in lower case. */
  readonly headers: OutgoingHttpHeaders;
  readonly body: RequestBody | undefined;
  /**
   * The owner of the request. A kept connection is reused for the same key only: if a registry sends more than its
   * response, nobody else receives the surplus.
   */
  readonly connectionKey: string;
  /** The client whose queue the request waits in, also a query of the gate for this client. */
  readonly clientKey: string;
  /** Whether a request with a connection waits for this one, which must not wait for that connection. */
  readonly urgent?: boolean;
  /** What it does, for a cache; undefined for a query of the gate, which is always for the registry itself. */
  readonly route: Route | undefined;
}

/** The body of a request, streamed from the client. */
export interface RequestBody {
  readonly source: Readable;
  /** Sends `100 Continue` to a client that waits for it. */
  begin(): void;
  /** Whether the whole body has arrived. */
  isComplete(): boolean;
  /** Counts forwarded bytes. */
  passed(length: number): void;
  /**
   * Called when the whole body has arrived, before its last chunk is forwarded: until then the registry does not act on
   * the request. `false`: the request was aborted, and must not be completed.
   */
  readonly mayEnd?: () => Promise<boolean>;
}

/** The head of a final response. */
export interface ResponseHead {
  readonly statusCode: number;
  /** By names in lower case. */
  readonly headers: NodeJS.Dict<string | string[]>;
  /** Where it comes from; absent where no cache was looked into. */
  readonly cache?: CacheResult;
}

/**
 * Receives a response. Exactly one of `end` and `failed` is called, and nothing after it; after {@link Transfer.abort}
 * nothing is called at all.
 */
export interface ResponseSink {
  head(head: ResponseHead): void;
  /**
   * @param consumed Called when the chunk is no longer needed, with the error that is the reason, if any.
   * @returns false where no more data is accepted until {@link Transfer.resume}.
   */
  chunk(chunk: Buffer, consumed?: (error?: Error | null) => void): boolean;
  /** All data that has arrived was delivered, and the response is not complete. */
  flush(): void;
  end(): void;
  failed(failure: TransportFailure): void;
}

/**
 * The reason of a failed or incomplete response:
 *
 * - `unreachable`: no connection, a broken one, or an invalid HTTP response
 * - `silent`: the registry neither sent nor read anything for too long
 * - `stalled`: the client stopped sending the body
 * - `login`: the registry requires a login from the gate, or rejects its login
 * - `overloaded`: too many requests wait for a connection
 * - `internal`: an internal error
 */
export interface TransportFailure {
  readonly kind: "unreachable" | "silent" | "stalled" | "login" | "overloaded" | "internal";
  readonly error: Error;
  /**
   * The request was sent on a kept connection that broke before a byte of the response: the registry may have closed
   * it.
   */
  readonly stale: boolean;
}

/** A request in progress. */
export interface Transfer {
  /** More of the response is accepted. */
  resume(): void;
  /** Aborts the request. The connection is closed unless the response is complete. */
  abort(): void;
}

/** A way to send requests to the registry. */
export interface Transport {
  /** @param options.fresh Opens a new connection. */
  send(request: UpstreamRequest, sink: ResponseSink, options?: { readonly fresh?: boolean }): Transfer;
  close(): void;
}

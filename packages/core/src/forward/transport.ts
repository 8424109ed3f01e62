import type { OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";

/** A request for the registry, rebuilt by the gate; nothing of the client's own head is in it. */
export interface UpstreamRequest {
  readonly method: string;
  /** A request target in origin-form: path and query. */
  readonly target: string;
  /** By names in lower case. */
  readonly headers: OutgoingHttpHeaders;
  readonly body: RequestBody | undefined;
  /**
   * On whose behalf the request is made. A kept connection is used again for the same key only: should a registry send
   * more than its response, the surplus reaches nobody else.
   */
  readonly connectionKey: string;
  /** Whose turn it takes where requests wait for a connection, also where the gate asks something for this client. */
  readonly clientKey: string;
  /** A request that has a connection waits for this one, which must not wait for that connection in its turn. */
  readonly urgent?: boolean;
}

/** The body of a request, streamed from the client. */
export interface RequestBody {
  readonly source: Readable;
  /** Asks a client that waits with `Expect: 100-continue` to send the body. */
  begin(): void;
  /** Whether the client has sent all of it. */
  isComplete(): boolean;
  /** Counts bytes that were passed on. */
  passed(length: number): void;
  /**
   * Is asked once all of the body has come, and before the last of it is passed on: until then the registry does not act on
   * the request. `false`: it is not to act, and the request was given up.
   */
  readonly mayEnd?: () => Promise<boolean>;
}

/** The head of a final response. */
export interface ResponseHead {
  readonly statusCode: number;
  /** By names in lower case. */
  readonly headers: NodeJS.Dict<string | string[]>;
}

/**
 * Receives a response. Exactly one of `end` and `failed` is called, and nothing after it; after {@link Transfer.abort}
 * nothing is called at all.
 */
export interface ResponseSink {
  head(head: ResponseHead): void;
  /**
   * @param consumed To be called when the chunk is not needed any more, with the error where that is the reason.
   * @returns false where no more is wanted until {@link Transfer.resume}.
   */
  chunk(chunk: Buffer, consumed?: (error?: Error | null) => void): boolean;
  /** Everything that has arrived so far was given, and it is not the whole response. */
  flush(): void;
  end(): void;
  failed(failure: TransportFailure): void;
}

/**
 * Why a response did not come, or did not come whole:
 *
 * - `unreachable`: no connection, a broken one, or something that is no HTTP response
 * - `silent`: the registry was connected, sent nothing and took nothing for too long
 * - `stalled`: the client sent no more of the body
 * - `login`: the registry asks the gate for a login, or for another one
 * - `overloaded`: too many requests wait for a connection
 * - `internal`: a fault of the gate itself
 */
export interface TransportFailure {
  readonly kind: "unreachable" | "silent" | "stalled" | "login" | "overloaded" | "internal";
  readonly error: Error;
  /** The request went out on a kept connection that broke before a byte was heard: the registry may have closed it. */
  readonly stale: boolean;
}

/** A request in progress. */
export interface Transfer {
  /** More of the response is wanted. */
  resume(): void;
  /** Gives the request up. The connection is closed unless the response is over. */
  abort(): void;
}

/** A way to send requests to the registry. */
export interface Transport {
  /** @param options.fresh Opens a new connection. */
  send(request: UpstreamRequest, sink: ResponseSink, options?: { readonly fresh?: boolean }): Transfer;
  close(): void;
}

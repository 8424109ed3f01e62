import { type Duration, type Logger, parseDuration, timerDelay } from "@registry-gate/auth";
import { type FairQueue, fairQueue } from "@registry-gate/auth-kit";
import { type UpstreamQueue, upstreamQueue } from "../observe/channels.ts";
import type { UpstreamOptions } from "../options/options.ts";
import { type QueryResponse, query, type UpstreamQuery } from "../query/query.ts";
import { connectionLimit } from "./connection-limit.ts";
import { directTransport, isRead } from "./direct/direct-transport.ts";
import { readPool } from "./direct/read-pool.ts";
import { hostOf } from "./host.ts";
import { libraryTransport } from "./library/library-transport.ts";
import { limitTransport } from "./limit-transport.ts";
import { withRegistryLogin } from "./registry-login.ts";
import { retryStale } from "./retry-stale.ts";
import type { ResponseSink, Transfer, Transport, UpstreamRequest } from "./transport.ts";

/** The registry. */
export interface Upstream {
  readonly url: URL;
  /** Streams the request to the registry, and the response into the sink. */
  send(request: UpstreamRequest, sink: ResponseSink): Transfer;
  /**
   * Asks the registry something on the gate's own behalf.
   *
   * @throws {UpstreamFault} when there is no response. When `signal` aborts, whatever it was aborted with.
   */
  query(query: UpstreamQuery, signal: AbortSignal): Promise<QueryResponse>;
  close(): void;
}

/**
 * An idle connection is given up after this many milliseconds: early enough that a request seldom meets one that the
 * registry is just closing.
 */
const idleTimeout = 15_000;
/** Enough to keep for a busy gate. */
const maxIdle = 256;
/** How many requests wait for a connection, and for how long, in milliseconds. */
const maxWaiting = 10_000;
const waitTimeout = 30_000;
/** How many requests others wait for, beyond `maxConnections`: each takes a moment. */
const mostUrgent = 4;

export function openUpstream(options: UpstreamOptions, log: Logger | undefined): Upstream {
  const { maxConnections = 1024, ca, credentials } = options;
  const readTimeout = delayOf(options.readTimeout ?? "900s");
  const connectTimeout = delayOf(options.connectTimeout ?? "10s");
  const url = new URL(options.url);
  const limit = connectionLimit(maxConnections, maxIdle);
  const library = libraryTransport({ url, readTimeout, connectTimeout, idleTimeout, maxIdle, ca }, limit);
  // TLS to the registry is left to the library.
  const direct =
    url.protocol === "https:"
      ? undefined
      : directTransport(
          readPool(
            {
              upstream: url.host,
              host: hostOf(url),
              port: url.port === "" ? 80 : Number(url.port),
              connectTimeout,
              readTimeout,
              idleTimeout,
            },
            limit,
          ),
        );
  const either: Transport = {
    send: (request, sink, how) => (direct !== undefined && isRead(request) ? direct : library).send(request, sink, how),
    close() {
      direct?.close();
      library.close();
    },
  };
  const queueOf = (queue: UpstreamQueue["queue"], concurrency: number): FairQueue =>
    fairQueue({
      concurrency,
      maxWaiting,
      timeout: waitTimeout,
      observe: (build) => upstreamQueue.publish(() => ({ upstream: url.host, queue, ...build() })),
    });
  const queues = { ordinary: queueOf("ordinary", maxConnections), urgent: queueOf("urgent", mostUrgent) };
  const transport = withRegistryLogin(limitTransport(retryStale(either), queues), credentials, url.host, log);

  return {
    url,
    send: (request, sink) => transport.send(request, sink),
    query: (asked, signal) => query(transport, url.host, asked, signal),
    close: () => transport.close(),
  };
}

/** Options have been checked by then; what was not is no time at all. */
function delayOf(duration: Duration): number {
  return timerDelay(parseDuration(duration) ?? 0);
}

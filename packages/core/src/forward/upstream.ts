import { type Duration, type Logger, parseDuration, timerDelay } from "@registry-gate/auth";
import { type FairQueue, fairQueue } from "@registry-gate/auth-kit";
import { type UpstreamQueue, upstreamQueue } from "../observe/channels.ts";
import type { UpstreamOptions } from "../options/options.ts";
import { type QueryResponse, query, type UpstreamQuery } from "../query/query.ts";
import { cacheContent } from "./cache/content-cache.ts";
import type { ContentChanges } from "./cache/content-changes.ts";
import { chooseTransport } from "./choose-transport.ts";
import { connectionLimit } from "./connection-limit.ts";
import { connectionPool } from "./direct/connection-pool.ts";
import { directTransport } from "./direct/direct-transport.ts";
import { socketOpener } from "./direct/open-socket.ts";
import { hostOf } from "./host.ts";
import { lazyTransport } from "./lazy-transport.ts";
import { limitTransport } from "./limit-transport.ts";
import { withRegistryLogin } from "./registry-login.ts";
import { retryStale } from "./retry-stale.ts";
import type { ResponseSink, Transfer, UpstreamRequest } from "./transport.ts";

/** The registry. */
export interface Upstream {
  readonly url: URL;
  /** Sends the request to the registry, and streams the response into the sink. */
  send(request: UpstreamRequest, sink: ResponseSink): Transfer;
  /**
   * Sends a request of the gate itself.
   *
   * @throws {UpstreamFault} when there is no response. When `signal` aborts, its reason.
   */
  query(query: UpstreamQuery, signal: AbortSignal): Promise<QueryResponse>;
  close(): void;
}

/**
 * Idle connections are closed after this many milliseconds: early enough that requests seldom meet one that the
 * registry is closing.
 */
const idleTimeout = 15_000;
/** The maximum number of waiting requests, and their maximum wait in milliseconds. */
const maxWaiting = 10_000;
const waitTimeout = 30_000;
/** The maximum number of concurrent urgent requests, in addition to `maxConnections`: each takes a moment. */
const mostUrgent = 4;

/** @param changes Of other gates before the same registry, for the cache. */
export function openUpstream(options: UpstreamOptions, log: Logger | undefined, changes?: ContentChanges): Upstream {
  const { maxConnections = 1024, ca, credentials, transport: choice = "auto" } = options;
  const readTimeout = delayOf(options.readTimeout ?? "900s");
  const connectTimeout = delayOf(options.connectTimeout ?? "10s");
  const url = new URL(options.url);
  const limit = connectionLimit(maxConnections);
  const secure = url.protocol === "https:";
  const address = { host: hostOf(url), port: url.port === "" ? (secure ? 443 : 80) : Number(url.port), secure, ca };
  const connections = { upstream: url.host, secure, connectTimeout, readTimeout, idleTimeout };
  const chosen = chooseTransport(choice, {
    direct: () => directTransport(connectionPool({ ...connections, open: socketOpener(address) }, limit)),
    library: () =>
      lazyTransport(async () => {
        const { libraryTransport } = await import("./library/library-transport.ts");
        return libraryTransport({ url, readTimeout, connectTimeout, idleTimeout, maxIdle: maxConnections, ca }, limit);
      }),
  });
  const queueOf = (queue: UpstreamQueue["queue"], concurrency: number): FairQueue =>
    fairQueue({
      concurrency,
      maxWaiting,
      timeout: waitTimeout,
      observe: (build) => upstreamQueue.publish(() => ({ upstream: url.host, queue, ...build() })),
    });
  const queues = { ordinary: queueOf("ordinary", maxConnections), urgent: queueOf("urgent", mostUrgent) };
  const registry = withRegistryLogin(limitTransport(retryStale(chosen), queues), credentials, url.host, log);
  const transport = cacheContent(registry, options.cache, url.host, changes);

  return {
    url,
    send: (request, sink) => transport.send(request, sink),
    query: (asked, signal) => query(transport, url.host, asked, signal),
    close: () => transport.close(),
  };
}

/** Options are already validated. */
function delayOf(duration: Duration): number {
  return timerDelay(parseDuration(duration) ?? 0);
}

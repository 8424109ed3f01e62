import { parseDuration } from "@registry-gate/auth";
import { type UpstreamCache, upstreamCache } from "../../observe/channels.ts";
import type { CacheResult } from "../../observe/record.ts";
import type { ContentCacheOptions } from "../../options/options.ts";
import { holdResponse } from "../hold-response.ts";
import type { ResponseSink, Transfer, Transport, TransportFailure, UpstreamRequest } from "../transport.ts";
import { asError } from "../transport-errors.ts";
import { type Asked, askedBy, isProbe, variantOf } from "./asked.ts";
import type { ContentChange, ContentChanges } from "./content-changes.ts";
import { contentStore, type Resource } from "./content-store.ts";
import { type Fill, startFill } from "./fill.ts";
import type { KeptResponse } from "./kept-response.ts";
import { deliver, inTurns, type Reader } from "./reader.ts";
import { touchedBy } from "./touched-by.ts";
import { unsettledWrites } from "./unsettled-writes.ts";

/** In bytes. */
export const defaultMaxSize: number = 64 * 2 ** 20;
const defaultMaxEntry = 2 ** 20;

/** How often a request waits for a response that may be kept before it is sent by itself. */
const mostJoins = 2;

/**
 * Keeps manifests and small blobs in memory, with the bodies that have the digest that was asked for.
 *
 * It stands behind authorization: whoever reaches it may read the repository. A kept response is only for the repository
 * that it was asked of, by requests with the same headers that registries select by.
 *
 * @param host The registry's own, for the channel.
 * @param changes Of other caches before the same registry.
 */
export function cacheContent(
  transport: Transport,
  options: ContentCacheOptions | undefined,
  host: string,
  changes?: ContentChanges,
): Transport {
  if (options === undefined) return transport;
  const { maxSize = defaultMaxSize, maxEntry = defaultMaxEntry } = options;
  const ttl = parseDuration(options.ttl ?? 0) ?? 0;
  const maxAge = parseDuration(options.maxAge ?? "1h") ?? 0;
  const store = contentStore<Fill>(maxSize);
  const unsettled = unsettledWrites();

  function publish(event: UpstreamCache["event"]): void {
    upstreamCache.publish(() => ({ upstream: host, event, entries: store.count, bytes: store.bytes }));
  }
  const report = (result: CacheResult): void => publish(result);
  const changed = (): void => publish("changed");

  /** Answers from memory, joins a request in progress, or asks the registry. */
  function read(reader: Reader, asked: Asked, variant: string): void {
    const { repository, name, digest } = asked;
    const found = store.find(repository, name);
    const fresh = freshOf(found, variant);
    if (fresh !== undefined) {
      report("hit");
      return void deliver(reader, fresh, "hit");
    }
    if (reader.joins >= mostJoins) return void sendAlone(reader);
    if (found?.fills.get(variant)?.join(reader) === true) return;
    const previous = confirmable(found, variant, digest);
    if (previous === undefined && (reader.condition !== undefined || isProbe(reader.request)))
      return void sendAlone(reader);
    const released = (readers: readonly Reader[], alone: boolean): void =>
      inTurns(readers, (each) => (alone ? sendAlone(each) : read(each, asked, variant)));
    const resource = store.open(repository, name);
    const terms = {
      transport,
      store,
      resource,
      variant,
      asked: digest,
      lifetime: digest === undefined ? ttl : maxAge,
      maxEntry,
      previous,
      keeps: !unsettled.concern(repository, name),
      report,
      changed,
      released,
    };
    startFill(terms, reader);
  }

  /** @returns a response that needs no confirmation. */
  function freshOf(resource: Resource<Fill> | undefined, variant: string): KeptResponse | undefined {
    const entry = resource?.entries.get(variant);
    if (entry === undefined || performance.now() - entry.response.confirmed >= entry.response.lifetime)
      return undefined;
    store.touch(entry);
    return entry.response;
  }

  /**
   * @returns a response that the registry can confirm. Of content by digest docker-registry would, without a look whether it
   * is still there: what is too old is forgotten.
   */
  function confirmable(
    resource: Resource<Fill> | undefined,
    variant: string,
    digest: string | undefined,
  ): KeptResponse | undefined {
    const response = resource?.entries.get(variant)?.response;
    if (resource === undefined || response === undefined) return undefined;
    if (digest === undefined && response.etag !== undefined) return response;
    store.remove(resource, variant);
    store.tidy(resource);
    return undefined;
  }

  /** What comes is not kept. */
  function sendAlone(reader: Reader): void {
    const { sink } = reader;
    report("miss");
    reader.current = transport.send(reader.request, {
      head: (head) => sink.head({ ...head, cache: "miss" }),
      chunk: (chunk, consumed) => sink.chunk(chunk, consumed),
      flush: () => sink.flush(),
      end: () => sink.end(),
      failed: (failure) => sink.failed(failure),
    });
  }

  function drop(change: ContentChange): void {
    if (change.unsettled === true) unsettled.add(change);
    store.drop(change.repository, change.names);
    changed();
  }

  function sendWrite(request: UpstreamRequest, sink: ResponseSink, change: ContentChange): Transfer {
    let aborted = false;
    /** The registry has said what became of it. */
    let settled = false;
    const passed = (): Promise<void> | undefined => {
      const passing = settled ? change : { ...change, unsettled: true };
      drop(passing);
      return changes?.announce(passing);
    };
    const held = holdResponse(sink, {
      until({ statusCode }) {
        // Such an error may be of a proxy before the registry, which goes on.
        settled = statusCode < 500;
        return passed();
      },
      rejected(error) {
        transfer.abort();
        sink.failed({ kind: "internal", error: asError(error), stale: false });
      },
      resume: () => transfer.resume(),
      isGone: () => aborted,
    });
    // What is read until the write is over may be from before it, and what was read before is.
    drop(change);
    const transfer = transport.send(request, {
      ...held,
      failed(failure) {
        settled ||= wasNeverSent(failure);
        void passed();
        held.failed(failure);
      },
    });
    return {
      resume: () => transfer.resume(),
      abort() {
        aborted = true;
        transfer.abort();
        void passed();
      },
    };
  }

  const unfollow = changes?.follow(drop);

  return {
    send(request, sink, how) {
      const { route } = request;
      if (route === undefined) return transport.send(request, sink, how);
      const asked = askedBy(request);
      if (asked === undefined) {
        const change = touchedBy(route);
        return change === undefined ? transport.send(request, sink, how) : sendWrite(request, sink, change);
      }
      const condition = request.headers["if-none-match"];
      const reader: Reader = {
        request,
        sink,
        condition: condition === undefined ? undefined : String(condition),
        joins: 0,
        over: false,
        current: undefined,
      };
      // Whoever sends has the transfer before anything is called.
      process.nextTick(() => {
        if (!reader.over) read(reader, asked, variantOf(request));
      });
      return transferOf(reader);
    },
    close() {
      unfollow?.();
      store.clear();
      changed();
      transport.close();
    },
  };
}

function wasNeverSent({ kind }: TransportFailure): boolean {
  return kind === "overloaded";
}

function transferOf(reader: Reader): Transfer {
  return {
    resume: () => reader.current?.resume(),
    abort() {
      reader.over = true;
      reader.current?.abort();
    },
  };
}

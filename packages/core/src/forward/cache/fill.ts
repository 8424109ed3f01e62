import type { CacheResult } from "../../observe/record.ts";
import type {
  ResponseHead,
  ResponseSink,
  Transfer,
  Transport,
  TransportFailure,
  UpstreamRequest,
} from "../transport.ts";
import { type BodyVerifier, bodyVerifier } from "./body-verifier.ts";
import { type ContentStore, costOf, type Resource } from "./content-store.ts";
import { type KeepableHead, keepableHead } from "./keepable.ts";
import { entityTagOf, type KeptResponse, namesEntityTag } from "./kept-response.ts";
import { deliver, inTurns, type Reader } from "./reader.ts";

/** One request to the registry, whose response is kept, and is for all who ask for the same in the meantime. */
export interface Fill {
  /**
   * Waits for the response too.
   *
   * @returns `false` where it is on its way for too long: it may tell of what was there long ago.
   */
  join(reader: Reader): boolean;
}

export interface FillTerms {
  readonly transport: Transport;
  readonly store: ContentStore<Fill>;
  readonly resource: Resource<Fill>;
  readonly variant: string;
  /** The digest that is asked for; undefined for a tag. */
  readonly asked: string | undefined;
  /** Of a response, in milliseconds, where the registry does not shorten it. */
  readonly lifetime: number;
  /** The maximum length of a body, in bytes. */
  readonly maxEntry: number;
  /** A kept response that is to be confirmed by the registry; it has an `ETag`. */
  readonly previous: KeptResponse | undefined;
  /** Whether the response may be kept: the registry is not known to change it the next moment. */
  readonly keeps: boolean;
  /** A response begins, or fails. */
  report(result: CacheResult): void;
  /** What is kept has changed. */
  changed(): void;
  /**
   * Readers get nothing from this fill. `alone`: nor would they from another one, because such a response is not kept.
   */
  released(readers: readonly Reader[], alone: boolean): void;
}

/** A response that is being collected. */
interface Collected {
  readonly head: ResponseHead;
  readonly keepable: KeepableHead;
  readonly verifier: BodyVerifier;
  readonly body: Buffer;
  readonly cost: number;
  length: number;
}

/** How long after a request was sent others wait for its response, in milliseconds; then they ask themselves. */
const joinTimeout = 5000;
/** How much of an unwanted body is read, in bytes, before its connection is closed. */
const longestRest = 65_536;

/**
 * Asks the registry for a manifest or blob.
 *
 * A response that can be kept is collected without regard to how fast its readers read, or whether the first one is still
 * there, and checked before anybody gets it. Any other response goes to the first reader as it comes, and to nobody else.
 */
export function startFill(terms: FillTerms, leader: Reader): void {
  const { store, resource, variant, previous } = terms;
  const started = performance.now();
  const followers = new Set<Reader>();
  let timer: NodeJS.Timeout | undefined;
  let transfer: Transfer | undefined;
  let state: "asked" | "confirmed" | "collecting" | "passing" | "over" = "asked";
  let collected: Collected | undefined;
  let rest = 0;

  const fill: Fill = {
    join(reader) {
      const age = performance.now() - started;
      if (age >= joinTimeout) return false;
      followers.add(reader);
      reader.joins++;
      reader.current = { resume() {}, abort: () => left(reader) };
      timer ??= setTimeout(letGo, joinTimeout - age).unref();
      return true;
    },
  };

  function hasEnded(): boolean {
    return state === "over";
  }

  /** Nobody joins any more. */
  function detach(): void {
    clearTimeout(timer);
    if (resource.fills.get(variant) === fill) resource.fills.delete(variant);
  }

  function finish(): void {
    if (state === "over") return;
    state = "over";
    detach();
    if (collected !== undefined) store.release(collected.cost);
    collected = undefined;
    resource.filling--;
    store.tidy(resource);
  }

  function stop(): void {
    finish();
    transfer?.abort();
  }

  function takeFollowers(): Reader[] {
    const taken = [...followers];
    followers.clear();
    return taken;
  }

  /** It takes too long for those who joined. */
  function letGo(): void {
    detach();
    const waiting = takeFollowers();
    if (leader.over) stop();
    terms.released(waiting, false);
  }

  function left(reader: Reader): void {
    followers.delete(reader);
    if (state === "over" || followers.size > 0) return;
    if (leader.over) stop();
  }

  /**
   * The first reader's own condition would have been met by what comes, which is not kept: the registry was asked without
   * that condition.
   */
  function mustAskItself({ statusCode, headers }: ResponseHead): boolean {
    const { condition } = leader;
    if (leader.over || condition === undefined || statusCode !== 200) return false;
    return namesEntityTag(condition, entityTagOf(headers));
  }

  /** Nobody gets what comes. */
  function passBy(): void {
    const readers = [leader, ...takeFollowers()];
    stop();
    terms.released(readers, true);
  }

  function pass(head: ResponseHead): void {
    if (mustAskItself(head)) return void passBy();
    state = "passing";
    detach();
    if (!leader.over) {
      terms.report("miss");
      leader.sink.head({ ...head, cache: "miss" });
    }
    terms.released(takeFollowers(), true);
    if (leader.over) return void stop();
    // What the gate has asked for by GET.
    if (leader.request.method === "HEAD") end();
  }

  function end(): void {
    if (leader.over) return;
    leader.over = true;
    leader.sink.end();
  }

  /** The registry confirms what it was not asked about. */
  function mistaken(): void {
    store.remove(resource, variant);
    leader.joins++;
    const waiting = leader.over ? takeFollowers() : [leader, ...takeFollowers()];
    stop();
    terms.released(waiting, false);
  }

  function collect(head: ResponseHead, keepable: KeepableHead): void {
    const { headers, length, digests } = keepable;
    const cost = costOf(length, headers, variant, resource.name);
    if (!store.reserve(cost)) return void pass(head);
    state = "collecting";
    const body = Buffer.allocUnsafeSlow(length);
    collected = { head, keepable, verifier: bodyVerifier(digests), body, cost, length: 0 };
  }

  function serve(response: KeptResponse, result: CacheResult): void {
    const waiting = takeFollowers();
    if (!leader.over) {
      terms.report(result);
      deliver(leader, response, result);
    }
    inTurns(waiting, (reader) => {
      terms.report("joined");
      deliver(reader, response, "joined");
    });
  }

  /** The first reader gets what the registry has sent, as it was sent; nobody else does. */
  function passCollected({ head, body, length }: Collected): void {
    if (leader.over) return;
    terms.report("miss");
    leader.sink.head({ ...head, cache: "miss" });
    const withBody = leader.request.method !== "HEAD" && length > 0;
    if (!leader.over && withBody) leader.sink.chunk(body.subarray(0, length));
    end();
  }

  function complete(found: Collected): void {
    const { keepable, verifier, body, cost } = found;
    if (found.length !== body.length || !verifier.isVerified()) {
      if (mustAskItself(found.head)) return void passBy();
      const waiting = takeFollowers();
      finish();
      passCollected(found);
      return void terms.released(waiting, true);
    }
    const response: KeptResponse = {
      headers: keepable.headers,
      body,
      etag: entityTagOf(keepable.headers),
      digest: keepable.digests.at(-1) ?? keepable.digests[0],
      lifetime: Math.min(terms.lifetime, keepable.lifetime),
      confirmed: started,
    };
    if (isWanted(response)) {
      collected = undefined;
      store.keep(resource, variant, response, cost);
    }
    finish();
    terms.changed();
    serve(response, "miss");
  }

  function isWanted({ lifetime, etag }: KeptResponse): boolean {
    if (!terms.keeps || resource.dropped || (lifetime === 0 && etag === undefined)) return false;
    // One that was asked for later may be there already.
    return (resource.entries.get(variant)?.response.confirmed ?? 0) <= started;
  }

  function confirm(response: KeptResponse): void {
    // After a write has passed, it is right for those who have asked before, and for nobody else.
    if (!resource.dropped) response.confirmed = Math.max(response.confirmed, started);
    const entry = resource.entries.get(variant);
    if (entry?.response === response) store.touch(entry);
    finish();
    serve(response, "revalidated");
  }

  function fail(failure: TransportFailure): void {
    const waiting = takeFollowers();
    const passing = state === "passing";
    finish();
    if (!leader.over) {
      leader.over = true;
      if (!passing) terms.report("miss");
      leader.sink.failed(failure);
    }
    terms.released(waiting, false);
  }

  const sink: ResponseSink = {
    head(head) {
      if (hasEnded()) return;
      if (previous !== undefined && head.statusCode === 304) {
        if (!confirms(head, previous)) return mistaken();
        state = "confirmed";
        return;
      }
      if (previous !== undefined) forget(previous);
      const keepable = keepableHead(head, terms.asked, terms.maxEntry);
      if (keepable === undefined) pass(head);
      else collect(head, keepable);
    },
    chunk(chunk, consumed) {
      if (state === "passing" && !leader.over) return leader.sink.chunk(chunk, consumed);
      if (collected !== undefined) {
        const { body, verifier, length } = collected;
        verifier.add(chunk.subarray(0, chunk.copy(body, length)));
        collected.length = length + chunk.length;
      } else rest += chunk.length;
      consumed?.();
      if (rest > longestRest && !hasEnded()) stop();
      return true;
    },
    flush() {
      if (state === "passing" && !leader.over) leader.sink.flush();
    },
    end() {
      if (hasEnded()) return;
      if (state === "confirmed" && previous !== undefined) return confirm(previous);
      if (collected !== undefined) return complete(collected);
      finish();
      end();
    },
    failed(failure) {
      if (!hasEnded()) fail(failure);
    },
  };

  /** The registry has something else now, or nothing. An error of its own says nothing about it, but is not worth more. */
  function forget(response: KeptResponse): void {
    if (resource.entries.get(variant)?.response === response) store.remove(resource, variant);
  }

  resource.filling++;
  resource.fills.set(variant, fill);
  leader.current = {
    resume() {
      if (state === "passing") transfer?.resume();
    },
    abort: () => left(leader),
  };
  transfer = terms.transport.send(requestOf(leader.request, previous), sink);
  // It may have ended at once.
  if (hasEnded()) transfer.abort();
}

/** Unconditional, or on the condition that the kept response is no longer right. */
function requestOf(request: UpstreamRequest, previous: KeptResponse | undefined): UpstreamRequest {
  const { "if-none-match": _condition, ...headers } = request.headers;
  if (previous?.etag !== undefined) headers["if-none-match"] = previous.etag;
  return { ...request, method: "GET", headers };
}

/** A 304 that names another entity tag or digest is about something else. */
function confirms({ headers }: ResponseHead, { etag, digest }: KeptResponse): boolean {
  const named = headers["docker-content-digest"];
  if (named !== undefined && named !== digest) return false;
  return headers.etag === undefined || (typeof headers.etag === "string" && namesEntityTag(headers.etag, etag));
}

import type { Logger } from "@registry-gate/auth";
import { type CounterStore, type Counters, silentLog } from "@registry-gate/auth-kit";
import type { StateStore } from "../state-store.ts";
import { StateUnavailableError } from "../state-unavailable-error.ts";

/** What {@link stateCounters} counts in. */
export interface StateCountersOptions {
  readonly store: StateStore;
  /** Counts in the memory of this process, such as `memoryCounters()` of `@registry-gate/core`. */
  readonly fallback: CounterStore;
  /** Takes a warning when the store becomes unavailable, and a line of information when it is back. */
  readonly log?: Logger;
}

/** For how long a store that failed is left alone, in milliseconds: no login waits for it meanwhile. */
const retryAfter = 1000;

/**
 * The counts of failed logins in a state store, shared by all that use it.
 *
 * While the store is unavailable this process goes on counting by itself, so that nobody guesses without limit and nobody
 * is kept out. Every change is made in memory too: what this process has counted before still holds then. What is counted
 * in memory is not written to the store afterwards.
 */
export function stateCounters({ store, fallback, log = silentLog }: StateCountersOptions): CounterStore {
  const availability = createAvailability(log);

  /** What the store gives, or, while it is unavailable, memory. */
  async function either<T>(own: Promise<T>, shared: () => Promise<T>): Promise<T> {
    if (!availability.mayTry()) return own;
    try {
      const result = await shared();
      await own;
      availability.succeeded();
      return result;
    } catch (error) {
      if (!(error instanceof StateUnavailableError)) throw error;
      availability.failed(error);
      return own;
    }
  }

  return {
    counters(space): Counters {
      const memory = fallback.counters(space);
      const keyOf = (key: string): string => `throttle:${space}:${key}`;
      return {
        get: (key) =>
          either(memory.get(key), async () => {
            const entry = await store.getWithTtl(keyOf(key));
            return entry && { value: Number(entry.value), expiresIn: entry.ttl ?? Number.POSITIVE_INFINITY };
          }),
        add: (key, amount, ttl) => either(memory.add(key, amount, ttl), () => store.increment(keyOf(key), amount, ttl)),
        set: (key, value, ttl) =>
          either(memory.set(key, value, ttl), async () => {
            if (value > 0) await store.set(keyOf(key), String(value), ttl);
            else await store.delete(keyOf(key));
          }),
        extend: (key, ttl) =>
          either(memory.extend(key, ttl), async () => {
            await store.extend(keyOf(key), ttl);
          }),
        delete: (key) =>
          either(memory.delete(key), async () => {
            await store.delete(keyOf(key));
          }),
      };
    },
  };
}

interface Availability {
  /** Whether the store is worth a try; of several that ask at a time while it is away, one is told so. */
  mayTry(): boolean;
  succeeded(): void;
  failed(error: StateUnavailableError): void;
}

function createAvailability(log: Logger): Availability {
  /** When to try again; `undefined` while it is available. */
  let retryAt: number | undefined;
  return {
    mayTry() {
      if (retryAt === undefined) return true;
      if (performance.now() < retryAt) return false;
      retryAt = performance.now() + retryAfter;
      return true;
    },
    succeeded() {
      if (retryAt === undefined) return;
      retryAt = undefined;
      log.info({ event: "state available" }, "the state store is available again: failed logins are counted there");
    },
    failed(error) {
      const isNews = retryAt === undefined;
      retryAt = performance.now() + retryAfter;
      if (!isNews) return;
      const message = `${error.message}; failed logins are counted in the memory of this process meanwhile`;
      log.warn({ event: "state unavailable" }, message);
    },
  };
}

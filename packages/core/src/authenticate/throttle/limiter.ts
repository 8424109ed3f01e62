import { setTimeout as delay } from "node:timers/promises";
import type { CounterStore } from "./counters.ts";
import { createPending } from "./pending.ts";
import { createTurns } from "./turns.ts";

/** The number of failures allowed within a time, in milliseconds. */
export interface Limit {
  readonly failures: number;
  readonly window: number;
}

/** The wait after a failure beyond the limit, in milliseconds; it doubles each time. */
export interface Backoff {
  readonly first: number;
  readonly longest: number;
}

export interface LimiterOptions {
  readonly limit: Limit;
  readonly backoff: Backoff;
  readonly store: CounterStore;
  /** Keeps the counts apart from those of another limiter. */
  readonly name: string;
}

/** An attempt that counts as failed until its outcome is known. It must be resolved once. */
export interface Reservation {
  failed(): Promise<void>;
  /** Not counted: the outcome is unknown, or irrelevant to others with the same key. */
  returned(): Promise<void>;
  /** It succeeded: earlier failures are deleted. */
  succeeded(): Promise<void>;
}

export type Admission =
  | { readonly reservation: Reservation; readonly retryAfter?: never }
  /** Try again after this many milliseconds. */
  | { readonly reservation?: never; readonly retryAfter: number };

/**
 * Limits the failures of each key. Within the limit, attempts run in parallel, but never more than may fail: each is
 * counted before it starts. From the last allowed one on they run one at a time, with a pause after each failure.
 */
export interface Limiter {
  /**
   * Waits where the decision depends on attempts in progress.
   *
   * @param signal Its abort rejects with its reason.
   */
  reserve(key: string, signal: AbortSignal): Promise<Admission>;
  /** Forgets the failures of a key. Attempts in progress may still fail. */
  release(key: string): Promise<void>;
}

/** How long attempts of other processes are waited for without one of this process ending, and how often they are looked at, in milliseconds. */
const patience = 2000;
const pause = 25;
/** How long an exclusive attempt blocks others if its process ends before it does. */
const LEASE = 60_000;

export function createLimiter({ limit, backoff, store, name }: LimiterOptions): Limiter {
  const failures = store.counters(`${name}:failures`);
  const blocks = store.counters(`${name}:blocks`);
  /** Attempts that run exclusively. */
  const alone = store.counters(`${name}:alone`);
  const pending = createPending();
  const turns = createTurns();

  /** @returns `busy` where it depends on attempts in progress. */
  async function tryReserve(key: string): Promise<Admission | "busy"> {
    const [block, other] = await Promise.all([blocks.get(key), alone.get(key)]);
    if (block !== undefined) return { retryAfter: block.expiresIn };
    if (other !== undefined) return "busy";
    const count = await failures.add(key, 1, limit.window);
    if (count < limit.failures) return { reservation: reservation(key, undefined) };
    if ((await alone.add(key, 1, LEASE)) === 1) return { reservation: reservation(key, count) };
    await failures.add(key, -1, limit.window);
    return "busy";
  }

  /** @param count The number of failures including this one, where it runs exclusively. */
  function reservation(key: string, count: number | undefined): Reservation {
    const resolve = pending.begin(key);
    /** @param wakes How many of those that wait may try again. */
    const end = (wakes: number, work: () => Promise<unknown>): Promise<void> =>
      turns.take(key, async () => {
        try {
          await work();
          if (count !== undefined) await alone.delete(key);
        } finally {
          resolve(wakes);
        }
      });
    return {
      failed: () =>
        count === undefined ? end(0, async () => {}) : end(Number.POSITIVE_INFINITY, () => block(key, count)),
      returned: () => end(1, () => failures.add(key, -1, limit.window)),
      succeeded: () => end(limit.failures, () => forgive(key)),
    };
  }

  async function block(key: string, count: number): Promise<void> {
    const now = (await failures.get(key))?.value ?? count;
    const beyond = Math.max(0, Math.min(count, now) - limit.failures);
    const pause = Math.min(backoff.longest, backoff.first * 2 ** beyond);
    await Promise.all([failures.extend(key, pause + limit.window), blocks.set(key, beyond + 1, pause)]);
  }

  /** Attempts in progress stay counted: they may still fail. */
  async function forgive(key: string): Promise<void> {
    const others = pending.count(key) - 1;
    const now = (await failures.get(key))?.value ?? 0;
    await Promise.all([failures.add(key, Math.min(0, others - now), limit.window), blocks.delete(key)]);
  }

  /** In one turn with the decision, so that no outcome is missed. */
  async function reserveOrWait(key: string, signal: AbortSignal): Promise<Admission | { wait: Promise<boolean> }> {
    const admission = await tryReserve(key);
    return admission === "busy" ? { wait: pending.wait(key, signal) } : admission;
  }

  return {
    release: (key) =>
      turns.take(key, async () => {
        await Promise.all([failures.delete(key), blocks.delete(key)]);
      }),
    async reserve(key, signal) {
      let since = performance.now();
      for (;;) {
        signal.throwIfAborted();
        const admission = await turns.take(key, () => reserveOrWait(key, signal));
        if (!("wait" in admission)) return admission;
        if (await admission.wait) {
          since = performance.now();
          continue;
        }
        // An attempt of another process is in progress, of whose end nobody here hears.
        if (performance.now() - since >= patience) return { retryAfter: backoff.first };
        await delay(pause, undefined, { signal }).catch(() => {});
      }
    },
  };
}

import type { CounterStore } from "./counters.ts";
import { createPending } from "./pending.ts";
import { createTurns } from "./turns.ts";

/** How many failures are free within a time, in milliseconds. */
export interface Limit {
  readonly failures: number;
  readonly window: number;
}

/** How long somebody has to wait after a failure beyond the limit, in milliseconds: twice as long each time. */
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

/** An attempt that is counted as failed until its outcome is known. It must be resolved, once. */
export interface Reservation {
  failed(): Promise<void>;
  /** It is given back: nothing was found out, or it says nothing about others who share the key. */
  returned(): Promise<void>;
  /** It succeeded: whatever has failed before is forgotten. */
  succeeded(): Promise<void>;
}

export type Admission =
  | { readonly reservation: Reservation; readonly retryAfter?: never }
  /** Try again after so many milliseconds. */
  | { readonly reservation?: never; readonly retryAfter: number };

/**
 * Limits the failures of each key. Within the limit, attempts are made in parallel, and as many only as may fail: each is
 * counted before it is made. From the last free one on they are made one at a time, and after each failure comes a time
 * in which none is made.
 */
export interface Limiter {
  /**
   * Waits where whether there is an attempt left depends on those under way.
   *
   * @param signal Its abort makes it reject with its reason.
   */
  reserve(key: string, signal: AbortSignal): Promise<Admission>;
}

/** For how long an attempt that is made alone keeps others out, should its process end before it does. */
const LEASE = 60_000;

export function createLimiter({ limit, backoff, store, name }: LimiterOptions): Limiter {
  const failures = store.counters(`${name}:failures`);
  const blocks = store.counters(`${name}:blocks`);
  /** Those that are made alone. */
  const alone = store.counters(`${name}:alone`);
  const pending = createPending();
  const turns = createTurns();

  /** @returns `busy` where it depends on attempts under way. */
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

  /** @param count How many failures there are with this one, where it is made alone. */
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

  /** Those under way stay counted: they may still fail. */
  async function forgive(key: string): Promise<void> {
    const others = pending.count(key) - 1;
    const now = (await failures.get(key))?.value ?? 0;
    await Promise.all([failures.add(key, Math.min(0, others - now), limit.window), blocks.delete(key)]);
  }

  /** In one turn with the decision, so that no outcome is missed in between. */
  async function reserveOrWait(key: string, signal: AbortSignal): Promise<Admission | { wait: Promise<boolean> }> {
    const admission = await tryReserve(key);
    return admission === "busy" ? { wait: pending.wait(key, signal) } : admission;
  }

  return {
    async reserve(key, signal) {
      for (;;) {
        signal.throwIfAborted();
        const admission = await turns.take(key, () => reserveOrWait(key, signal));
        if (!("wait" in admission)) return admission;
        // An attempt of another process is under way.
        if (!(await admission.wait)) return { retryAfter: backoff.first };
      }
    },
  };
}

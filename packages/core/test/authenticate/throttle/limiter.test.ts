import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLimiter, type Limiter, type Reservation } from "../../../src/authenticate/throttle/limiter.ts";
import { memoryCounters } from "../../../src/authenticate/throttle/memory-counters.ts";

const { signal } = new AbortController();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function limiterWith(failures: number, store = memoryCounters()): Limiter {
  const limit = { failures, window: 60_000 };
  return createLimiter({ limit, backoff: { first: 1000, longest: 8000 }, store, name: "test" });
}

const nextTask = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function mayTry(limiter: Limiter, key = "key"): Promise<Reservation> {
  const { reservation, retryAfter } = await limiter.reserve(key, signal);
  if (reservation === undefined) throw new Error(`must wait for ${retryAfter} ms`);
  return reservation;
}

async function fail(limiter: Limiter, times: number, key = "key"): Promise<void> {
  for (let time = 0; time < times; time++) await (await mayTry(limiter, key)).failed();
}

const waitOf = async (limiter: Limiter, key = "key"): Promise<number | undefined> => {
  const { reservation, retryAfter } = await limiter.reserve(key, signal);
  await reservation?.returned();
  return retryAfter;
};

describe("a limiter", () => {
  it("blocks after the last allowed failure, twice as long after each further one up to the maximum", async () => {
    const limiter = limiterWith(3);
    await fail(limiter, 3);
    for (const pause of [1000, 2000, 4000, 8000, 8000]) {
      expect(await waitOf(limiter)).toBe(pause);
      vi.advanceTimersByTime(pause - 1);
      expect(await waitOf(limiter)).toBe(1);
      vi.advanceTimersByTime(1);
      await fail(limiter, 1);
    }
  });

  it("resets failures after the window, and the backoff as long after its end", async () => {
    const limiter = limiterWith(3);
    await fail(limiter, 2);
    vi.advanceTimersByTime(60_000);
    await fail(limiter, 2);
    expect(await waitOf(limiter)).toBeUndefined();
    await fail(limiter, 1);
    vi.advanceTimersByTime(1000 + 59_999);
    await fail(limiter, 1);
    expect(await waitOf(limiter)).toBe(2000);
    vi.advanceTimersByTime(2000 + 60_000);
    await fail(limiter, 3);
    expect(await waitOf(limiter)).toBe(1000);
  });

  it("resets all failures of a key after a success", async () => {
    const limiter = limiterWith(2);
    await fail(limiter, 2);
    vi.advanceTimersByTime(1000);
    await (await mayTry(limiter)).succeeded();
    await fail(limiter, 2);
    expect(await waitOf(limiter)).toBe(1000);
  });

  it("does not count a returned attempt, and keeps other failures", async () => {
    const limiter = limiterWith(2);
    for (let time = 0; time < 5; time++) await (await mayTry(limiter)).returned();
    await fail(limiter, 1);
    await (await mayTry(limiter)).returned();
    await fail(limiter, 1);
    expect(await waitOf(limiter)).toBe(1000);
  });

  it("does not block one key for the failures of another", async () => {
    const limiter = limiterWith(1);
    await fail(limiter, 1, "one");
    expect(await waitOf(limiter, "one")).toBe(1000);
    expect(await waitOf(limiter, "other")).toBeUndefined();
  });

  it("allows as many of 499 concurrent attempts as may fail, and refuses the others after these failed", async () => {
    const limiter = limiterWith(10);
    const trying: Reservation[] = [];
    const refused: number[] = [];
    for (let attempt = 0; attempt < 499; attempt++) {
      void limiter.reserve("key", signal).then(({ reservation, retryAfter }) => {
        if (reservation === undefined) refused.push(retryAfter);
        else trying.push(reservation);
      });
    }
    await nextTask();
    expect([trying.length, refused.length]).toEqual([10, 0]);
    for (const attempt of trying) await attempt.failed();
    await nextTask();
    expect([trying.length, refused.length]).toEqual([10, 489]);
    expect(new Set(refused)).toEqual(new Set([1000]));
  });

  it.each(["succeeded", "returned"] as const)(
    "lets 499 at once try one after the other where each has %s",
    async (end) => {
      const limiter = limiterWith(10);
      let trying = 0;
      let most = 0;
      const attempt = async (): Promise<void> => {
        const reservation = await mayTry(limiter);
        most = Math.max(most, ++trying);
        await nextTask();
        trying--;
        await reservation[end]();
      };
      await Promise.all(Array.from({ length: 499 }, attempt));
      expect(most).toBe(10);
    },
  );

  it("refuses nothing without failures, in any order of events", async () => {
    const turns = fc.array(fc.tuple(fc.nat(12), fc.constantFrom("succeeded", "returned")), {
      minLength: 1,
      maxLength: 60,
      size: "max",
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), turns, async (failures, attempts) => {
        const limiter = limiterWith(failures);
        const outcomes = attempts.map(async ([ticks, end]) => {
          const { reservation, retryAfter } = await limiter.reserve("key", signal);
          for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
          await reservation?.[end]();
          return retryAfter;
        });
        expect(new Set(await Promise.all(outcomes))).toEqual(new Set([undefined]));
      }),
      { numRuns: 300 },
    );
  });

  it("allows one attempt at a time beyond the limit", async () => {
    const limiter = limiterWith(2);
    await fail(limiter, 2);
    vi.advanceTimersByTime(1000);
    const probe = await mayTry(limiter);
    const others = Promise.all([1, 2, 3].map(() => limiter.reserve("key", signal)));
    await nextTask();
    await probe.failed();
    expect(await others).toEqual([1, 2, 3].map(() => ({ retryAfter: 2000 })));
  });

  it("waits for the deciding attempt of another process with the same store", async () => {
    const store = memoryCounters();
    const [here, there] = [limiterWith(1, store), limiterWith(1, store)];
    const probe = await mayTry(there);
    const waiting = waitOf(here);
    await nextTask();
    await probe.succeeded();
    expect(await waiting).toBeUndefined();
  });

  it("refuses where the deciding attempt of another process takes more than two seconds", async () => {
    const store = memoryCounters();
    const [here, there] = [limiterWith(1, store), limiterWith(1, store)];
    const probe = await mayTry(there);
    const waiting = waitOf(here);
    await nextTask();
    vi.advanceTimersByTime(2000);
    expect(await waiting).toBe(1000);
    await probe.returned();
    expect(await waitOf(here)).toBeUndefined();
    await mayTry(there);
    // It ended with its process.
    vi.advanceTimersByTime(60_000);
    expect(await waitOf(here)).toBeUndefined();
  });

  it("releases an aborted waiter, and lets the next one try", async () => {
    const limiter = limiterWith(1);
    const first = await mayTry(limiter);
    const leaving = new AbortController();
    const left = limiter.reserve("key", leaving.signal);
    const staying = mayTry(limiter);
    await nextTask();
    leaving.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    await first.returned();
    await (await staying).returned();
    await expect(limiter.reserve("key", AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
  });

  it("never allows more failures than the limit, and never leaves a waiter pending", async () => {
    const outcome = fc.constantFrom("failed", "returned", "succeeded", "abort");
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(outcome, { minLength: 1, maxLength: 40, size: "max" }),
        async (failures, outcomes) => {
          const limiter = limiterWith(failures);
          const trying: Reservation[] = [];
          const gone = outcomes.map(() => new AbortController());
          let answered = 0;
          const attempts = gone.map((controller) =>
            limiter.reserve("key", controller.signal).then(
              ({ reservation }) => {
                answered++;
                if (reservation !== undefined) trying.push(reservation);
              },
              () => void answered++,
            ),
          );
          let failed = 0;
          for (const [index, end] of outcomes.entries()) {
            await nextTask();
            expect(trying.length + failed).toBeLessThanOrEqual(failures);
            if (end === "abort") {
              gone[index]?.abort();
              continue;
            }
            const reservation = trying.shift();
            await reservation?.[end]();
            if (reservation !== undefined && end === "failed") failed++;
            if (reservation !== undefined && end === "succeeded") failed = 0;
          }
          await nextTask();
          for (let left = trying.shift(); left !== undefined; left = trying.shift()) {
            await left.failed();
            await nextTask();
          }
          await Promise.all(attempts);
          expect(answered).toBe(outcomes.length);
        },
      ),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
  type FairQueue,
  type FairQueueOptions,
  fairQueue,
  QueueRefusedError,
  type Release,
  type Waiter,
} from "../src/index.ts";
import { type QueueModel, queueModel } from "./queue-model.ts";

/** What became of each waiter, in the order in which it was settled. */
interface Observed {
  readonly queue: FairQueue;
  readonly granted: string[];
  readonly refused: string[];
  readonly held: Map<string, Release>;
  /** @param name Of the waiter; the key is its first letter. */
  acquire(name: string, signal?: AbortSignal): void;
  release(name: string): void;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function observed(options: FairQueueOptions): Observed {
  const queue = fairQueue(options);
  const granted: string[] = [];
  const refused: string[] = [];
  const held = new Map<string, Release>();
  return {
    queue,
    granted,
    refused,
    held,
    acquire(name, signal) {
      queue.acquire(name.charAt(0), signal).then(
        (release) => {
          granted.push(name);
          held.set(name, release);
        },
        (error: unknown) => {
          if (!(error instanceof QueueRefusedError)) throw error;
          refused.push(`${name} ${error.kind}`);
        },
      );
    },
    release(name) {
      held.get(name)?.();
      held.delete(name);
    },
  };
}

/** Releases each holder in the order of grants until nobody is left. */
async function drain({ held, release }: Observed): Promise<void> {
  for (await settled(); held.size > 0; await settled()) for (const name of [...held.keys()]) release(name);
}

describe("fairQueue", () => {
  it("serves a newcomer after one turn of a client that has 500 waiters", async () => {
    const observation = observed({ concurrency: 1, maxWaiting: 1000 });
    for (let number = 0; number < 501; number++) observation.acquire(`a${number}`);
    observation.acquire("b");
    await drain(observation);
    expect(observation.granted.slice(0, 4)).toEqual(["a0", "a1", "b", "a2"]);
    expect(observation.granted).toHaveLength(502);
  });

  it("gives no key more turns before a waiter's than there are waiters before it in its own key", async () => {
    const arrivals = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 60, size: "max" });
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 4 }), async (keys, concurrency) => {
        const observation = observed({ concurrency, maxWaiting: 1000 });
        const names = keys.map((key, index) => `${key}${index}`);
        for (const name of names) observation.acquire(name);
        await drain(observation);
        const turns = observation.granted.slice(concurrency);
        for (const [index, name] of turns.entries()) {
          const before = turns.slice(0, index);
          const own = before.filter((other) => other.charAt(0) === name.charAt(0)).length;
          for (const key of new Set(keys)) {
            const others = before.filter((other) => other.charAt(0) === key).length;
            expect(others, `turns of ${key} before ${name}`).toBeLessThanOrEqual(own + 1);
          }
        }
        expect([...observation.granted].sort()).toEqual([...names].sort());
      }),
    );
  });

  it("behaves like a simple model of it, whatever the order of arrivals, releases, aborts and changes of size", async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant("acquire" as const), key: fc.constantFrom("a", "b", "c") }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant("release" as const), which: fc.nat(20) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("abort" as const), which: fc.nat(20) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("resize" as const), to: fc.integer({ min: 1, max: 4 }) }) },
    );
    const sizes = fc.record({
      concurrency: fc.integer({ min: 1, max: 3 }),
      maxWaiting: fc.nat(8),
      maxWaitingPerKey: fc.nat(6),
    });
    await fc.assert(
      fc.asyncProperty(sizes, fc.array(step, { maxLength: 60, size: "max" }), async (options, steps) => {
        const observation = observed(options);
        const model: QueueModel = queueModel(options);
        const signals = new Map<string, AbortController>();
        for (const [index, action] of steps.entries()) {
          if (action.do === "acquire") {
            const name = `${action.key}${index}`;
            const controller = new AbortController();
            signals.set(name, controller);
            observation.acquire(name, controller.signal);
            model.acquire(name);
          } else if (action.do === "release") {
            const name = model.held[action.which % Math.max(1, model.held.length)];
            if (name !== undefined) {
              observation.release(name);
              model.release(name);
            }
          } else if (action.do === "abort") {
            const waiting = model.waiting();
            const name = waiting[action.which % Math.max(1, waiting.length)];
            if (name !== undefined) {
              signals.get(name)?.abort();
              model.abort(name);
            }
          } else {
            observation.queue.setConcurrency(action.to);
            model.resize(action.to);
          }
          await settled();
          expect(observation.granted).toEqual(model.granted);
          expect(observation.refused).toEqual(model.refused);
          expect(observation.queue.held).toBe(model.held.length);
          expect(observation.queue.waiting).toBe(model.waiting().length);
        }
      }),
    );
  });

  it("lets the client with the most waiters lose its last one where it is full, not the newcomer", async () => {
    const observation = observed({ concurrency: 1, maxWaiting: 4 });
    for (const name of ["a0", "a1", "a2", "a3", "a4", "b0", "a5", "c0"]) observation.acquire(name);
    await drain(observation);
    expect(observation.refused).toEqual(["a4 displaced", "a5 full", "a3 displaced"]);
    expect(observation.granted).toEqual(["a0", "a1", "b0", "c0", "a2"]);
  });

  it("refuses the newcomer where every client that waits has as few waiters", async () => {
    const observation = observed({ concurrency: 1, maxWaiting: 2 });
    for (const name of ["a0", "b0", "c0", "d0"]) observation.acquire(name);
    await drain(observation);
    expect(observation.refused).toEqual(["d0 full"]);
  });

  it("refuses a key beyond its own limit, although there is room", async () => {
    const observation = observed({ concurrency: 1, maxWaiting: 10, maxWaitingPerKey: 1 });
    for (const name of ["a0", "a1", "a2", "b0"]) observation.acquire(name);
    await drain(observation);
    expect(observation.refused).toEqual(["a2 key-full"]);
  });

  it("refuses a waiter after the timeout, and clears the timer", async () => {
    vi.useFakeTimers();
    try {
      const queue = fairQueue({ concurrency: 1, maxWaiting: 10, timeout: 1000 });
      const release = await queue.acquire("a");
      const late = expect(queue.acquire("a")).rejects.toMatchObject({ kind: "timed-out" });
      await vi.advanceTimersByTimeAsync(999);
      expect(queue.waiting).toBe(1);
      await vi.advanceTimersByTimeAsync(1);
      await late;
      const next = queue.acquire("b");
      release();
      await next;
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("lets a caller wait where the time limit is longer than a timer can be", async () => {
    vi.useFakeTimers();
    try {
      const queue = fairQueue({ concurrency: 1, maxWaiting: 10, timeout: 2 ** 33 });
      const release = await queue.acquire("a");
      const next = queue.acquire("b");
      await vi.advanceTimersByTimeAsync(60_000);
      expect(queue.waiting).toBe(1);
      release();
      (await next)();
    } finally {
      vi.useRealTimers();
    }
  });

  it("tells why the signal aborted", async () => {
    const reason = new Error("the client has gone");
    const queue = fairQueue({ concurrency: 1, maxWaiting: 10 });
    const aborted = { name: "QueueRefusedError", kind: "aborted", cause: reason };
    await expect(queue.acquire("a", AbortSignal.abort(reason))).rejects.toMatchObject(aborted);
    queue.tryAcquire();
    const controller = new AbortController();
    const waiting = expect(queue.acquire("a", controller.signal)).rejects.toMatchObject(aborted);
    controller.abort(reason);
    await waiting;
  });

  it("counts a slot that is given back twice once", () => {
    const queue = fairQueue({ concurrency: 2, maxWaiting: 0 });
    const [first, second] = [queue.tryAcquire(), queue.tryAcquire()];
    expect(queue.tryAcquire()).toBeUndefined();
    first?.();
    first?.();
    expect(queue.held).toBe(1);
    expect(queue.tryAcquire()).toBeTypeOf("function");
    expect(queue.tryAcquire()).toBeUndefined();
    second?.();
  });

  it("refuses everybody who waits or comes when it is closed, and is idle when the last slot is given back", async () => {
    const queue = fairQueue({ concurrency: 1, maxWaiting: 10 });
    const release = await queue.acquire("a");
    const waiting = ["a", "b"].map((key) => expect(queue.acquire(key)).rejects.toMatchObject({ kind: "closed" }));
    queue.close();
    await Promise.all(waiting);
    await expect(queue.acquire("c")).rejects.toMatchObject({ kind: "closed" });
    let idle = false;
    const ended = queue.idle().then(() => {
      idle = true;
    });
    await settled();
    expect(idle).toBe(false);
    release();
    await ended;
    expect(queue.tryAcquire()).toBeUndefined();
    await queue.idle();
  });

  describe("a waiter that calls the queue when it is told", () => {
    const waiter = (name: string, told: string[], refused = (): void => {}): Waiter => ({
      granted(release) {
        told.push(`${name} granted`);
        release();
      },
      refused({ kind }) {
        told.push(`${name} ${kind}`);
        refused();
      },
    });

    it("may wait again when it was displaced: never more wait than may", () => {
      const queue = fairQueue({ concurrency: 1, maxWaiting: 2 });
      const release = queue.tryAcquire();
      const told: string[] = [];
      queue.wait("a", waiter("a1", told));
      queue.wait(
        "a",
        waiter("a2", told, () => void queue.wait("c", waiter("c", told))),
      );
      queue.wait("b", waiter("b", told));
      expect(told).toEqual(["a2 displaced", "c full"]);
      expect(queue.waiting).toBe(2);
      release?.();
      expect(told.slice(2)).toEqual(["a1 granted", "b granted"]);
    });

    it("may give a slot back when it was displaced: whoever waits gets it", () => {
      const queue = fairQueue({ concurrency: 1, maxWaiting: 2 });
      const release = queue.tryAcquire();
      const told: string[] = [];
      queue.wait("a", waiter("a1", told));
      queue.wait("a", waiter("a2", told, release));
      expect(queue.wait("b", waiter("b", told))).toBeUndefined();
      expect(told).toEqual(["a2 displaced", "a1 granted", "b granted"]);
      expect(queue).toMatchObject({ held: 0, waiting: 0 });
    });
  });

  it("takes 200,000 waiters in, and lets them go from the middle outwards", async () => {
    const count = 200_000;
    const queue = fairQueue({ concurrency: 1, maxWaiting: count });
    queue.tryAcquire();
    const controllers = Array.from({ length: count }, () => new AbortController());
    const refusals = controllers.map(({ signal }, index) => queue.acquire(`${index % 1000}`, signal).catch(() => {}));
    for (let step = 0; step < count; step++) {
      const offset = Math.ceil(step / 2) * (step % 2 === 0 ? 1 : -1);
      controllers[(count / 2 + offset + count) % count]?.abort();
    }
    await Promise.all(refusals);
    expect(queue.waiting).toBe(0);
  });

  it.each([
    { concurrency: 0, maxWaiting: 1 },
    { concurrency: 1.5, maxWaiting: 1 },
    { concurrency: 1, maxWaiting: -1 },
    { concurrency: 1, maxWaiting: 1, maxWaitingPerKey: Number.NaN },
    { concurrency: 1, maxWaiting: 1, timeout: 0 },
  ])("refuses the options %j", (options) => {
    expect(() => fairQueue(options)).toThrow(RangeError);
  });
});

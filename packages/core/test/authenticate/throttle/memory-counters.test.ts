import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Counters } from "../../../src/authenticate/throttle/counters.ts";
import { memoryCounters } from "../../../src/authenticate/throttle/memory-counters.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const countersOf = (maxEntries?: number): Counters =>
  memoryCounters(maxEntries === undefined ? {} : { maxEntries }).counters("test");

async function presentIn(counters: Counters, keys: readonly string[]): Promise<string[]> {
  const counts = await Promise.all(keys.map((key) => counters.get(key)));
  return keys.filter((_, index) => counts[index] !== undefined);
}

describe("memoryCounters", () => {
  it("adds up until the first addition expires, and then starts again", async () => {
    const counters = countersOf();
    expect(await counters.add("a", 1, 1000)).toBe(1);
    vi.advanceTimersByTime(600);
    expect(await counters.add("a", 2, 1000)).toBe(3);
    expect(await counters.get("a")).toEqual({ value: 3, expiresIn: 400 });
    vi.advanceTimersByTime(400);
    expect(await counters.get("a")).toBeUndefined();
    expect(await counters.add("a", 1, 1000)).toBe(1);
  });

  it("deletes a count that falls to 0", async () => {
    const counters = countersOf();
    await counters.add("a", 1, 1000);
    expect(await counters.add("a", -1, 1000)).toBe(0);
    expect(await counters.get("a")).toBeUndefined();
    await counters.add("a", -1, 1000);
    expect(await counters.add("a", 1, 1000)).toBe(1);
  });

  it("replaces, extends and deletes", async () => {
    const counters = countersOf();
    await counters.set("a", 7, 1000);
    await counters.set("a", 5, 500);
    await counters.extend("a", 100);
    expect(await counters.get("a")).toEqual({ value: 5, expiresIn: 500 });
    await counters.extend("a", 2000);
    await counters.extend("b", 2000);
    expect(await counters.get("a")).toEqual({ value: 5, expiresIn: 2000 });
    expect(await counters.get("b")).toBeUndefined();
    await counters.delete("a");
    expect(await counters.get("a")).toBeUndefined();
  });

  it("returns the same namespace for the same name only", async () => {
    const store = memoryCounters();
    await store.counters("one").add("a", 1, 1000);
    expect(await store.counters("one").get("a")).toBeDefined();
    expect(await store.counters("other").get("a")).toBeUndefined();
  });

  it("evicts the lowest count when full, and the oldest of equal ones", async () => {
    const counters = countersOf(4);
    await counters.add("high", 10, 1000);
    for (const key of ["a", "b", "c"]) await counters.add(key, 1, 1000);
    await counters.add("a", 1, 1000);
    await counters.add("d", 1, 1000);
    expect(await presentIn(counters, ["high", "a", "b", "c", "d"])).toEqual(["high", "a", "c", "d"]);
  });

  it("keeps a high count through a million other keys, within its limit", async () => {
    const counters = countersOf(1000);
    await counters.add("victim", 10, 60_000);
    for (let flood = 0; flood < 1_000_000; flood++) void counters.add(`flood ${flood}`, 1, 60_000);
    expect(await counters.get("victim")).toMatchObject({ value: 10 });
    const last = Array.from({ length: 2000 }, (_, index) => `flood ${998_000 + index}`);
    expect(await presentIn(counters, last)).toHaveLength(999);
  });

  it("evicts expired counts first, however high", async () => {
    const counters = countersOf(100);
    for (let index = 0; index < 100; index++) await counters.add(`old ${index}`, 50, 1000);
    vi.advanceTimersByTime(1000);
    const fresh = Array.from({ length: 100 }, (_, index) => `new ${index}`);
    for (const key of fresh) await counters.add(key, 1, 1000);
    expect(await presentIn(counters, fresh)).toEqual(fresh);
  });

  it("behaves like a map of numbers with expiry, for any operations", async () => {
    const key = fc.constantFrom("a", "b", "c");
    const ttl = fc.integer({ min: 1, max: 50 });
    const step = fc.oneof(
      fc.record({ do: fc.constant("add" as const), key, amount: fc.integer({ min: -3, max: 40 }), ttl }),
      fc.record({ do: fc.constant("set" as const), key, value: fc.integer({ min: 0, max: 40 }), ttl }),
      fc.record({ do: fc.constant("extend" as const), key, ttl }),
      fc.record({ do: fc.constant("delete" as const), key }),
      fc.record({ do: fc.constant("wait" as const), time: fc.integer({ min: 1, max: 20 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
        const counters = countersOf();
        const model = new Map<string, { value: number; expiresAt: number }>();
        const modelled = (name: string): { value: number; expiresAt: number } | undefined => {
          const entry = model.get(name);
          return entry !== undefined && entry.value > 0 && entry.expiresAt > performance.now() ? entry : undefined;
        };
        for (const action of steps) {
          if (action.do === "wait") {
            vi.advanceTimersByTime(action.time);
            continue;
          }
          const entry = modelled(action.key);
          const until = "ttl" in action ? performance.now() + action.ttl : 0;
          if (action.do === "add") {
            const sum = await counters.add(action.key, action.amount, action.ttl);
            expect(sum).toBe((entry?.value ?? 0) + action.amount);
            model.set(action.key, { value: sum, expiresAt: entry?.expiresAt ?? until });
          } else if (action.do === "set") {
            await counters.set(action.key, action.value, action.ttl);
            model.set(action.key, { value: action.value, expiresAt: until });
          } else if (action.do === "extend") {
            await counters.extend(action.key, action.ttl);
            if (entry !== undefined) entry.expiresAt = Math.max(entry.expiresAt, until);
          } else {
            await counters.delete(action.key);
            model.delete(action.key);
          }
          for (const name of ["a", "b", "c"]) {
            const expected = modelled(name);
            const count = await counters.get(name);
            expect(count?.value).toBe(expected?.value);
            if (expected !== undefined) expect(count?.expiresIn).toBeCloseTo(expected.expiresAt - performance.now());
          }
        }
      }),
    );
  });
});

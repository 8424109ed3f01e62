import { memoryCounters } from "@registry-gate/core";
import { memoryState, redisState, type StateStore, StateUnavailableError, stateCounters } from "@registry-gate/state";
import { expect, onTestFinished, test } from "vitest";
import { recordingLog } from "../../../test/support/recording-log.ts";
import { startRedis } from "../../../test/support/redis.ts";

const hour = 3_600_000;

function counting(store: StateStore) {
  const { log, lines } = recordingLog();
  const { counters } = stateCounters({ store, fallback: memoryCounters(), log });
  return { counters: counters("space"), counters2: counters("other"), lines };
}

test("counts in the store, for all that share it", async () => {
  const store = memoryState();
  const { counters: one } = counting(store);
  const { counters: other, counters2: apart } = counting(store);
  expect(await one.add("key", 1, hour)).toBe(1);
  expect(await other.add("key", 2, hour)).toBe(3);
  expect(await one.get("key")).toMatchObject({ value: 3 });
  expect(await apart.get("key")).toBeUndefined();
  await one.set("key", 7, 2 * hour);
  expect((await other.get("key"))?.value).toBe(7);
  await other.extend("key", 5 * hour);
  expect((await one.get("key"))?.expiresIn).toBeGreaterThan(4 * hour);
  await other.set("key", 0, hour);
  expect(await one.get("key")).toBeUndefined();
  await one.set("key", 1, hour);
  await other.delete("key");
  expect(await one.get("key")).toBeUndefined();
  expect(await one.add("key", -1, hour)).toBe(-1);
  expect(await one.get("key")).toBeUndefined();
});

test("goes on in memory while Redis is away, with what it has counted itself, and says so once", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const store = redisState({ url: redis.url });
  onTestFinished(() => store.close());
  const { counters, lines } = counting(store);
  await counters.add("key", 4, hour);
  expect(lines).toEqual([]);
  await redis.stop();
  expect(await counters.add("key", 1, hour)).toBe(5);
  expect((await counters.get("key"))?.value).toBe(5);
  await counters.set("block", 1, hour);
  expect((await counters.get("block"))?.value).toBe(1);
  expect(lines).toEqual([
    {
      level: "warn",
      fields: { event: "state unavailable" },
      message: expect.stringMatching(
        /^the state store is unavailable: Redis: .*; failed logins are counted in the memory of this process meanwhile$/,
      ),
    },
  ]);
  await redis.start();
  // The store is empty now, and counts again.
  await expect.poll(() => counters.get("key")).toBeUndefined();
  expect(lines.slice(1)).toEqual([
    {
      level: "info",
      fields: { event: "state available" },
      message: "the state store is available again: failed logins are counted there",
    },
  ]);
  expect(await counters.add("key", 1, hour)).toBe(1);
  expect(await store.list("throttle:")).toEqual([{ key: "throttle:space:key", value: "1" }]);
});

test("does not have logins wait for a store that is away one after the other", async () => {
  const store = memoryState();
  let asked = 0;
  const unavailable = async (): Promise<never> => {
    asked++;
    throw new StateUnavailableError("gone");
  };
  const { counters } = counting({ ...store, increment: unavailable });
  for (let count = 1; count <= 50; count++) expect(await counters.add("key", 1, hour)).toBe(count);
  // A slow machine may take longer for the 50 than the store is left alone for.
  expect(asked).toBeLessThan(50);
});

test("lets a mistake of the store's own through", async () => {
  const broken = { ...memoryState(), increment: () => Promise.reject(new TypeError("broken")) };
  await expect(counting(broken).counters.add("key", 1, hour)).rejects.toThrow("broken");
});

import { redisState, type StateStore, StateUnavailableError } from "@registry-gate/state";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Redis, startRedis } from "../../../test/support/redis.ts";
import { stateContract } from "./state-contract.ts";

let redis: Redis;
let databases = 0;

beforeAll(async () => {
  redis = await startRedis(["--databases", "1000"]);
});

afterAll(() => redis?.close());

function opened(url: string): StateStore {
  const store = redisState({ url });
  onTestFinished(() => store.close());
  return store;
}

describe("redisState", () => {
  // Each test has a database of its own.
  stateContract(async () => redisState({ url: `${redis.url}/${++databases}` }));

  test("shares its entries with every other store of the same database, and with none of another", async () => {
    const one = opened(`${redis.url}/900`);
    await one.set("key", "value");
    expect(await opened(`${redis.url}/900`).get("key")).toBe("value");
    expect(await opened(`${redis.url}/901`).get("key")).toBeUndefined();
  });

  test("fails while Redis is away, and goes on by itself when it is back", async () => {
    const own = await startRedis();
    onTestFinished(() => own.close());
    const store = opened(own.url);
    await store.set("key", "value");
    await own.stop();
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(store.get("key")).rejects.toThrow(StateUnavailableError);
    }
    await expect(store.check()).rejects.toThrow(StateUnavailableError);
    await own.start();
    await expect.poll(() => store.check().then(() => "ready", String)).toBe("ready");
    await store.set("key", "again");
    expect(await store.get("key")).toBe("again");
  });

  test("fails when Redis was killed in the middle of commands, and each of them is told", async () => {
    const own = await startRedis();
    onTestFinished(() => own.close());
    const store = opened(own.url);
    await store.check();
    own.kill("SIGSTOP");
    const waiting = Array.from({ length: 100 }, () => store.increment("key", 1, 1000));
    own.kill("SIGKILL");
    for (const result of await Promise.allSettled(waiting)) {
      expect(result).toMatchObject({ status: "rejected", reason: { code: "STATE_UNAVAILABLE" } });
    }
  });

  test("gives up a Redis that does not respond, and goes on when it does again", async () => {
    const own = await startRedis();
    onTestFinished(() => own.close());
    const store = opened(own.url);
    await store.check();
    own.kill("SIGSTOP");
    await expect(store.get("key")).rejects.toThrow("Redis does not respond within 1500 ms");
    // Now a new connection, which the system accepts and Redis does not.
    await expect.poll(() => store.get("key").catch(String), { timeout: 30_000 }).toContain("does not respond within");
    own.kill("SIGCONT");
    await expect.poll(() => store.check().then(() => "ready", String)).toBe("ready");
  });

  test("waits no longer than its caller", async () => {
    const own = await startRedis();
    onTestFinished(() => own.close());
    const store = opened(own.url);
    own.kill("SIGSTOP");
    const controller = new AbortController();
    const checking = store.check(controller.signal);
    const other = store.get("key");
    controller.abort();
    await expect(checking).rejects.toThrow(StateUnavailableError);
    own.kill("SIGCONT");
    // It shares the connection that was being made.
    expect(await other).toBeUndefined();
  });

  test("signs in with the user and the percent-encoded password of the URL, and never names them", async () => {
    // This one may reach keys with our prefix alone.
    const user = ["--user", "gate", "on", ">s3cret:", "~registry-gate:*", "+@all"];
    const own = await startRedis(["--requirepass", "p@ss/word", ...user]);
    onTestFinished(() => own.close());
    const place = `127.0.0.1:${own.port}`;
    for (const login of [":p%40ss%2Fword", "default:p%40ss%2Fword", "gate:s3cret%3A"]) {
      await opened(`redis://${login}@${place}`).check();
    }
    await opened(`redis://gate:s3cret%3A@${place}`).set("key", "value");
    for (const login of ["", "gate:wrong-secret@", ":p%40ss@"]) {
      const error = await opened(`redis://${login}${place}`)
        .get("key")
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StateUnavailableError);
      expect(String(error)).not.toMatch(/wrong-secret|p@ss/);
    }
  });

  test.each([
    "",
    "redis:6379",
    "http://127.0.0.1",
    "redis://",
    "redis://h/x",
    "redis://h/0/1",
    "redis://h?db=1",
    "redis://h#1",
    "redis://:secret%@h",
  ])("refuses the URL %j without quoting it", (url) => {
    expect(() => redisState({ url })).toThrow(/^url: must be redis:\/\/ or rediss:\/\/ with a host, such as \S+$/);
  });
});

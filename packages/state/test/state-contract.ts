import { type StateStore, StateUnavailableError } from "@registry-gate/state";
import { describe, expect, onTestFinished, test } from "vitest";

const hour = 3_600_000;

/**
 * What every store promises.
 *
 * @param open Opens a store that shares its entries with the others that it opened for the same `name`.
 */
export function stateContract(open: (name: string) => Promise<StateStore>): void {
  let stores = 0;

  async function fresh(): Promise<StateStore> {
    const store = await open(`store-${++stores}`);
    onTestFinished(() => store.close());
    return store;
  }

  describe("get, set and delete", () => {
    test("gives back what was set, and nothing for another key", async () => {
      const store = await fresh();
      await store.set("token:a", '{"owner":"alice"}');
      expect(await store.get("token:a")).toBe('{"owner":"alice"}');
      expect(await store.get("token:A")).toBeUndefined();
      expect(await store.get("token:")).toBeUndefined();
    });

    test.each([
      ["an empty text", ""],
      ["text beyond ASCII", "ä€𝄞"],
      ["a NUL", "a\u0000b"],
      ["white space", " two\nlines "],
      ["64 KiB", "x".repeat(65_536)],
    ])("keeps a value: %s", async (_, value) => {
      const store = await fresh();
      await store.set("key", value);
      expect(await store.get("key")).toBe(value);
    });

    test("deletes an entry once", async () => {
      const store = await fresh();
      await store.set("key", "value");
      expect(await store.delete("key")).toBe(true);
      expect(await store.get("key")).toBeUndefined();
      expect(await store.delete("key")).toBe(false);
    });

    test("takes the former expiry away when a value is set without one", async () => {
      const store = await fresh();
      await store.set("key", "one", hour);
      await store.set("key", "two");
      expect(await store.getWithTtl("key")).toEqual({ value: "two", ttl: undefined });
    });

    test("gives the remaining time of an entry", async () => {
      const store = await fresh();
      await store.set("key", "value", hour);
      const entry = await store.getWithTtl("key");
      expect(entry?.value).toBe("value");
      expect(entry?.ttl).toBeGreaterThan(0);
      expect(entry?.ttl).toBeLessThanOrEqual(hour);
      expect(await store.getWithTtl("other")).toBeUndefined();
    });
  });

  describe("an expired entry", () => {
    async function withExpired(): Promise<StateStore> {
      const store = await fresh();
      await store.set("key", "7", 1);
      await expect.poll(() => store.get("key")).toBeUndefined();
      return store;
    }

    test("is not listed, replaced, extended or deleted", async () => {
      const store = await withExpired();
      expect(await store.getWithTtl("key")).toBeUndefined();
      expect(await store.list("k")).toEqual([]);
      expect(await store.replace("key", "7", "8")).toBe(false);
      expect(await store.extend("key", hour)).toBe(false);
      expect(await store.delete("key")).toBe(false);
    });

    test("can be added anew", async () => {
      const store = await withExpired();
      expect(await store.add("key", "8")).toBe(true);
      expect(await store.getWithTtl("key")).toEqual({ value: "8", ttl: undefined });
    });

    test("counts from 0 with a new expiry", async () => {
      const store = await withExpired();
      expect(await store.increment("key", 1, hour)).toBe(1);
      expect((await store.getWithTtl("key"))?.ttl).toBeGreaterThan(1);
    });
  });

  describe("add and replace", () => {
    test("adds only where there is no entry", async () => {
      const store = await fresh();
      expect(await store.add("key", "one", hour)).toBe(true);
      expect(await store.add("key", "two")).toBe(false);
      expect(await store.get("key")).toBe("one");
    });

    test("lets one of many that add the same key at once succeed", async () => {
      const store = await fresh();
      const added = await Promise.all(Array.from({ length: 50 }, (_, index) => store.add("key", String(index))));
      expect(added.filter(Boolean)).toHaveLength(1);
    });

    test("replaces only the value that is expected", async () => {
      const store = await fresh();
      expect(await store.replace("key", "one", "two")).toBe(false);
      expect(await store.get("key")).toBeUndefined();
      await store.set("key", "one");
      expect(await store.replace("key", "two", "three")).toBe(false);
      expect(await store.replace("key", "one", "two")).toBe(true);
      expect(await store.get("key")).toBe("two");
    });

    test("keeps the expiry when it replaces without a ttl, and takes a new one otherwise", async () => {
      const store = await fresh();
      await store.set("key", "one", hour);
      await store.replace("key", "one", "two");
      expect((await store.getWithTtl("key"))?.ttl).toBeLessThanOrEqual(hour);
      await store.replace("key", "two", "three", 3 * hour);
      expect((await store.getWithTtl("key"))?.ttl).toBeGreaterThan(2 * hour);
    });
  });

  describe("list", () => {
    test("lists the entries of a prefix in the order of their keys", async () => {
      const store = await fresh();
      for (const key of ["t:a:2", "t:b:1", "t:a:10", "t:a:1", "u:a:1", "T:a:1", "t:a"])
        await store.set(key, `of ${key}`);
      expect(await store.list("t:a:")).toEqual(
        ["t:a:1", "t:a:10", "t:a:2"].map((key) => ({ key, value: `of ${key}` })),
      );
      expect(await store.list("nothing")).toEqual([]);
    });

    test.each(["*", "?", "[a]", "[^a]", "\\", "%", "_", "~", "a-z", "'", '"'])(
      "takes %s in a prefix literally",
      async (sign) => {
        const store = await fresh();
        for (const key of ["a1", "z1", "-1", `${sign}1`, `${sign}2`, `x${sign}`]) await store.set(key, "");
        expect((await store.list(sign)).map(({ key }) => key)).toEqual([`${sign}1`, `${sign}2`]);
      },
    );

    test("lists 10,000 entries, and fails rather than leave one out", { timeout: 240_000 }, async () => {
      const store = await fresh();
      for (let from = 0; from < 10_000; from += 500) {
        const some = Array.from({ length: 500 }, (_, index) => `many:${from + index}`);
        await Promise.all(some.map((key) => store.increment(key, 1, hour)));
      }
      await store.set("other", "");
      expect(await store.list("many:")).toHaveLength(10_000);
      await store.set("many:x", "");
      await expect(store.list("many:")).rejects.toThrow(StateUnavailableError);
    });
  });

  describe("increment and extend", () => {
    test("counts all of many increments at once", async () => {
      const store = await fresh();
      const sums = await Promise.all(Array.from({ length: 50 }, () => store.increment("key", 2, hour)));
      expect(sums.sort((one, other) => one - other)).toEqual(Array.from({ length: 50 }, (_, index) => 2 * (index + 1)));
      expect(await store.get("key")).toBe("100");
    });

    test("keeps the expiry of a number that is there", async () => {
      const store = await fresh();
      await store.increment("key", 1, hour);
      await store.increment("key", 1, 5 * hour);
      expect((await store.getWithTtl("key"))?.ttl).toBeLessThanOrEqual(hour);
    });

    test.each([0, -1])("deletes a number whose sum is %d", async (sum) => {
      const store = await fresh();
      await store.increment("key", 5, hour);
      expect(await store.increment("key", sum - 5, hour)).toBe(sum);
      expect(await store.get("key")).toBeUndefined();
    });

    test.each(["", "text", "1.5", "01", "+1", " 1", "1e3"])("does not increment %j", async (value) => {
      const store = await fresh();
      await store.set("key", value);
      await expect(store.increment("key", 1, hour)).rejects.toThrow("what is incremented is no whole number");
      expect(await store.get("key")).toBe(value);
    });

    test("extends an expiry and never shortens it", async () => {
      const store = await fresh();
      await store.set("key", "value", hour);
      expect(await store.extend("key", 3 * hour)).toBe(true);
      expect((await store.getWithTtl("key"))?.ttl).toBeGreaterThan(2 * hour);
      expect(await store.extend("key", hour)).toBe(true);
      expect((await store.getWithTtl("key"))?.ttl).toBeGreaterThan(2 * hour);
      expect(await store.extend("other", hour)).toBe(false);
    });

    test("leaves an entry without an expiry without one", async () => {
      const store = await fresh();
      await store.set("key", "1");
      expect(await store.extend("key", hour)).toBe(true);
      await store.increment("key", 1, hour);
      expect(await store.getWithTtl("key")).toEqual({ value: "2", ttl: undefined });
    });
  });

  describe("what it cannot take", () => {
    const refused: readonly [what: string, act: (store: StateStore) => Promise<unknown>][] = [
      ["an empty key", (store) => store.get("")],
      ["a key with a space", (store) => store.set("a b", "")],
      ["a key beyond ASCII", (store) => store.add("ä", "")],
      ["a key with a line feed", (store) => store.getWithTtl("a\n")],
      ["a key of 513 characters", (store) => store.delete("k".repeat(513))],
      ["a prefix beyond ASCII", (store) => store.list("ä")],
      ["a value over 64 KiB", (store) => store.set("key", "x".repeat(65_537))],
      ["a value over 64 KiB in UTF-8", (store) => store.replace("key", "", "ä".repeat(32_769))],
      ["a lone surrogate", (store) => store.add("key", "\ud800")],
      ["a ttl of 0", (store) => store.set("key", "", 0)],
      ["a ttl that is no number", (store) => store.extend("key", Number.NaN)],
      ["an endless ttl", (store) => store.increment("key", 1, Number.POSITIVE_INFINITY)],
      ["half an amount", (store) => store.increment("key", 0.5, hour)],
    ];
    test.each(refused)("refuses %s", async (_, act) => {
      const store = await fresh();
      await expect(act(store)).rejects.toThrow(StateUnavailableError);
      expect(await store.list("")).toEqual([]);
    });
  });

  test("is ready until it is closed, and fails then", async () => {
    const store = await fresh();
    await store.check();
    await store.check(AbortSignal.timeout(60_000));
    await store.close();
    await store.close();
    await expect(store.check()).rejects.toThrow(StateUnavailableError);
    await expect(store.get("key")).rejects.toThrow(StateUnavailableError);
    await expect(store.set("key", "")).rejects.toThrow(StateUnavailableError);
  });
}

import { join } from "node:path";
import { memoryState, redisState, type StateStore, sqliteState } from "@registry-gate/state";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Redis, startRedis } from "../../../test/support/redis.ts";
import { modelState } from "./model-state.ts";
import { scratchDirectory } from "./scratch-directory.ts";

/** Too long to pass during a test. */
const hour = 3_600_000;

let redis: Redis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis?.close());

interface Operation {
  readonly name: string;
  run(store: StateStore): Promise<unknown>;
}

// Few, so that operations meet.
const key = fc.constantFrom("a", "a:1", "b*");
const value = fc.oneof(
  { arbitrary: fc.constantFrom("1", "2"), weight: 4 },
  { arbitrary: fc.string({ unit: "grapheme", maxLength: 5 }), weight: 1 },
);
const ttl = fc.option(fc.constantFrom(hour, 2 * hour, 3 * hour), { nil: undefined });
const time = fc.constantFrom(hour, 2 * hour, 3 * hour);
const amount = fc.integer({ min: -3, max: 3 });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  key.map((k) => ({ name: `get ${k}`, run: (store: StateStore) => store.get(k) })),
  key.map((k) => ({
    name: `getWithTtl ${k}`,
    async run(store: StateStore) {
      const found = await store.getWithTtl(k);
      return found && { value: found.value, hours: found.ttl && Math.ceil(found.ttl / hour) };
    },
  })),
  fc.tuple(key, value, ttl).map(([k, v, t]) => ({
    name: `set ${k} ${v} ${t}`,
    run: (store: StateStore) => store.set(k, v, t),
  })),
  fc.tuple(key, value, ttl).map(([k, v, t]) => ({
    name: `add ${k} ${v} ${t}`,
    run: (store: StateStore) => store.add(k, v, t),
  })),
  fc.tuple(key, value, value, ttl).map(([k, old, v, t]) => ({
    name: `replace ${k} ${old} ${v} ${t}`,
    run: (store: StateStore) => store.replace(k, old, v, t),
  })),
  key.map((k) => ({ name: `delete ${k}`, run: (store: StateStore) => store.delete(k) })),
  fc.constantFrom("", "a", "a:", "b*").map((prefix) => ({
    name: `list ${prefix}`,
    run: (store: StateStore) => store.list(prefix),
  })),
  fc.tuple(key, amount, time).map(([k, n, t]) => ({
    name: `increment ${k} ${n} ${t}`,
    run: (store: StateStore) => store.increment(k, n, t).catch((error: Error) => error.message),
  })),
  fc.tuple(key, time).map(([k, t]) => ({ name: `extend ${k} ${t}`, run: (store: StateStore) => store.extend(k, t) })),
);

test("every store does what the model does, whatever the operations", { timeout: 240_000 }, async () => {
  const directory = await scratchDirectory();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 30, maxLength: 60 }), async (operations) => {
      const run = ++runs;
      const stores = {
        memory: memoryState(),
        sqlite: await sqliteState({ file: join(directory, `${run}.db`) }),
        redis: redisState({ url: redis.url }),
      };
      try {
        for (const { key: left } of await stores.redis.list("")) await stores.redis.delete(left);
        const model = modelState();
        for (const { name, run: act } of operations) {
          const expected = await act(model);
          for (const [which, store] of Object.entries(stores)) {
            expect(await act(store), `${name} in ${which}`).toEqual(expected);
          }
        }
      } finally {
        await Promise.all(Object.values(stores).map((store) => store.close()));
      }
    }),
    { numRuns: 150 },
  );
});

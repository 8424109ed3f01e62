import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Oracle, startOracle } from "./oracle.ts";
import { probes } from "./targets.ts";

const total = 20_000;
const batch = 1000;

let oracle: Oracle;

beforeAll(async () => {
  oracle = await startOracle();
});

afterAll(() => oracle.close());

/** What an OCI registry can be asked for, but the list, which the gate asks for in its own name. */
const operations = [
  "ping",
  "list-tags",
  "get-manifest",
  "put-manifest",
  "delete-manifest",
  "get-blob",
  "delete-blob",
  "start-upload",
  "get-upload",
  "continue-upload",
  "finish-upload",
  "cancel-upload",
  "list-referrers",
];

test(`of ${total} targets, none means one thing to the gate and another to docker-registry`, async () => {
  const seed = Date.now() % 2 ** 31;
  const forwarded = new Map<string, number>();
  let direct = 0;
  for (let round = 0; round < total / batch; round++) {
    const tally = await oracle.judge(fc.sample(probes, { numRuns: batch, seed: seed + round }));
    expect(tally.disagreements, `seed ${seed + round}`).toEqual([]);
    direct += tally.direct;
    for (const [operation, count] of tally.forwarded) forwarded.set(operation, (forwarded.get(operation) ?? 0) + count);
  }
  // Were nothing forwarded, nothing would have been compared.
  expect([...forwarded.keys()].sort()).toEqual(operations.toSorted());
  for (const [operation, count] of forwarded) expect(count, operation).toBeGreaterThan(total / 500);
  expect([...forwarded.values()].reduce((all, count) => all + count, 0)).toBeGreaterThan(total / 3);
  expect(direct).toBeGreaterThan(total / 3);
}, 600_000);

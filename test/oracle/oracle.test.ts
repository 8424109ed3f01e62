import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Oracle, startOracle, type Tally } from "./oracle.ts";
import { probes } from "./targets.ts";

const total = 20_000;
const batch = 1000;

let oracle: Oracle;

beforeAll(async () => {
  oracle = await startOracle();
});

afterAll(() => oracle.close());

test(`of ${total} targets, none means one thing to the gate and another to docker-registry`, async () => {
  const seed = Date.now() % 2 ** 31;
  const tallies: Tally[] = [];
  for (let round = 0; round < total / batch; round++) {
    const tally = await oracle.judge(fc.sample(probes, { numRuns: batch, seed: seed + round }));
    expect(tally.disagreements, `seed ${seed + round}`).toEqual([]);
    tallies.push(tally);
  }
  const sum = (count: (tally: Tally) => number): number => tallies.reduce((all, tally) => all + count(tally), 0);
  // Were nothing forwarded, nothing would have been compared.
  expect(sum(({ forwarded }) => forwarded)).toBeGreaterThan(total / 20);
  expect(sum(({ direct }) => direct)).toBeGreaterThan(total / 10);
}, 600_000);

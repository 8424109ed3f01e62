/**
 * Sends as many targets as asked for (by default a million) to the gate and to a real docker-registry, and tells how many
 * were forwarded and whether any meant one thing here and another there. Exits 1 at the first that did.
 */
import fc from "fast-check";
import { startOracle } from "./oracle.ts";
import { probes } from "./targets.ts";

const batch = 2000;
const total = Number(process.argv[2] ?? 1_000_000);
const seed = Date.now() % 2 ** 31;
const oracle = await startOracle();
let done = 0;
const forwarded = new Map<string, number>();
let direct = 0;
for (let round = 0; done < total && process.exitCode === undefined; round++) {
  const tally = await oracle.judge(fc.sample(probes, { numRuns: Math.min(batch, total - done), seed: seed + round }));
  done += tally.probes;
  for (const [operation, count] of tally.forwarded) forwarded.set(operation, (forwarded.get(operation) ?? 0) + count);
  direct += tally.direct;
  if (done % (10 * batch) === 0 || done >= total) {
    const all = [...forwarded.values()].reduce((sum, count) => sum + count, 0);
    console.log(`${done} targets, ${all} forwarded, ${direct} that the registry itself would have served`);
  }
  for (const { probe, why } of tally.disagreements) {
    console.log(`${probe.method} ${JSON.stringify(probe.target)}: ${why} (seed ${seed + round})`);
    process.exitCode = 1;
  }
}
console.log(Object.fromEntries(forwarded));
await oracle.close();

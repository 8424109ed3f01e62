/**
 * Sends as many targets as asked for (by default a million) to the gate and to a real docker-registry, and tells how many
 * were forwarded and whether any meant one thing here and another there. Exits 1 at the first that did.
 */
import fc from "fast-check";
import { startOracle } from "./oracle.ts";
import { probes } from "./targets.ts";

const batch = 2000;
/** After so many the registry is replaced: one that holds a hundred thousand begun uploads grows slow. */
const perRegistry = 20 * batch;
const total = Number(process.argv[2] ?? 1_000_000);
const seed = Date.now() % 2 ** 31;
const forwarded = new Map<string, number>();
let done = 0;
let direct = 0;
let agree = true;
while (done < total && agree) {
  const oracle = await startOracle();
  const end = Math.min(total, done + perRegistry);
  while (done < end && agree) {
    const chosen = seed + done / batch;
    const tally = await oracle.judge(fc.sample(probes, { numRuns: Math.min(batch, end - done), seed: chosen }));
    done += tally.probes;
    direct += tally.direct;
    for (const [operation, count] of tally.forwarded) forwarded.set(operation, (forwarded.get(operation) ?? 0) + count);
    for (const { probe, why } of tally.disagreements) {
      console.log(`${probe.method} ${JSON.stringify(probe.target)}: ${why} (seed ${chosen})`);
      agree = false;
    }
  }
  await oracle.close();
  const all = [...forwarded.values()].reduce((sum, count) => sum + count, 0);
  console.log(`${done} targets, ${all} forwarded, ${direct} that the registry itself would have served`);
}
console.log(Object.fromEntries(forwarded));
if (!agree) process.exitCode = 1;

import { setTimeout as delay } from "node:timers/promises";
import { connectionShares } from "./connection-shares.ts";
import { type Contender, closeAll, startAll } from "./contender.ts";
import { giveAllCores } from "./cores.ts";
import { atLeast, atMost, type Findings, type Limit, type Row } from "./findings.ts";
import { startFixedRegistry } from "./fixed-registry.ts";
import { loadRow, measureLoads } from "./loads.ts";
import { processTree, proportionalMemory } from "./process-usage.ts";
import { startGate } from "./proxies.ts";
import { manifestPath } from "./reads.ts";
import { ratios } from "./rounds.ts";
import type { Scale } from "./scale.ts";
import { load } from "./wrk.ts";

/** What two workers may cost a request, of what one process does: processor time of all processes. */
const mostCost = 1.15;
/** Of the worker with the most connections, what the one with the fewest has at least. */
const leastShare = 0.6;
/** What a further worker may add after load, in MiB. */
const mostMemory = 60;

/** One process against two workers, and what a third one adds. */
export async function workers(scale: Scale): Promise<Findings> {
  const registry = await startFixedRegistry("/nowhere");
  const gateWith = (count: number) => async (): Promise<Contender> => {
    const name = count === 1 ? "one process" : `${count} workers`;
    const gate = await startGate({ registry: registry.url, tls: undefined, sections: { workers: count } });
    for (const pid of await processTree(gate.pid)) await giveAllCores(pid);
    return { ...gate, name, workers: count };
  };
  const contenders: Contender[] = [];
  try {
    contenders.push(...(await startAll((scale.leavesOut ? [1, 2] : [1, 2, 3]).map(gateWith))));
    const [, two, three] = contenders;
    if (two === undefined) throw new Error("there are two gates at least");
    const rows: Row[] = [];
    const limits: Limit[] = [];
    const notes: string[] = [];
    const request = { path: manifestPath };
    for (const connections of scale.quick ? [64] : [16, 64]) {
      const { loads, notes: ofWarmUp } = await measureLoads({ contenders, request, connections }, scale);
      notes.push(...ofWarmUp);
      const costs = loads.map((each) => each.map(({ processor }) => processor));
      const shares = await sharesUnder(two, connections);
      const least = Math.min(...shares) / Math.max(...shares);
      rows.push(
        ...contenders.map((contender, index) => {
          const row = loadRow(contender, loads[index] ?? [], loads[0] ?? []);
          return { ...row, name: `${contender.name}, ${connections} connections` };
        }),
      );
      limits.push(
        atMost(mostCost, `CPU of 2 ÷ of 1, ${connections} connections`, ratios(costs[1] ?? [], costs[0] ?? [])),
      );
      limits.push(atLeast(leastShare, `fewest connections ÷ most, ${connections} (${shares.join(", ")})`, least));
    }
    // After the same load.
    if (three !== undefined) {
      const added = (await memoryOfTree(three.pid)) - (await memoryOfTree(two.pid));
      limits.push(atMost(mostMemory, "MiB (PSS) that a third worker adds", added));
    }
    return {
      id: "workers",
      title: "GET of a manifest by one process and by workers, on all cores",
      columns: [
        { id: "processor", label: "CPU µs", digits: 0, better: "less" },
        { id: "rate", label: "requests/s", digits: 0, better: "more" },
        { id: "p50", label: "p50 ms", digits: 2, better: "less" },
        { id: "p99", label: "p99 ms", digits: 2, better: "less" },
      ],
      rows,
      limits,
      notes,
    };
  } finally {
    await closeAll(contenders);
    await registry.close();
  }
}

/** How many connections each worker has while as many are open. */
async function sharesUnder(gate: Contender, connections: number): Promise<number[]> {
  const loading = load(gate, { request: { path: manifestPath }, connections, seconds: 0.8 });
  await delay(500);
  const [, ...pids] = await processTree(gate.pid);
  const shares = await connectionShares(pids, Number(new URL(gate.url).port));
  await loading;
  return shares;
}

async function memoryOfTree(pid: number): Promise<number> {
  const figures = await Promise.all((await processTree(pid)).map(proportionalMemory));
  return figures.reduce((sum, each) => sum + each, 0);
}

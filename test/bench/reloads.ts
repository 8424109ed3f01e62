import { atMost, type Findings, type Row } from "./findings.ts";
import { startFixedRegistry } from "./fixed-registry.ts";
import { type Delay, type GrowingGate, startGrowingGate, worstOf } from "./growing-gate.ts";
import type { Scale } from "./scale.ts";
import { load } from "./wrk.ts";

const request = { path: "/v2/team/app/manifests/latest" };

/** By how much requests are held up while a large configuration and large files are read anew. */
export async function reloads({ quick, rounds, progress }: Scale): Promise<Findings> {
  const registry = await startFixedRegistry("/nowhere");
  let gate: GrowingGate | undefined;
  try {
    progress("starting");
    gate = await startGrowingGate(registry.url, { rules: 10_000, users: 100_000, groups: 10_000 });
    const { change, delays } = gate;
    // What runs for the first time is compiled then.
    const stalls: Delay[] = [];
    const atRest: Delay[] = [];
    for (let round = 0; round <= (quick ? 1 : rounds); round++) {
      const before = (await delays()).length;
      await load(gate, { request, connections: 4, seconds: 1 });
      const between = (await delays()).length;
      const loaded = load(gate, { request, connections: 4, seconds: quick ? 4 : 8 });
      await change();
      await loaded;
      if (round === 0) continue;
      const all = await delays();
      atRest.push(worstOf(all.slice(before, between)));
      stalls.push(worstOf(all.slice(between)));
    }
    return {
      id: "growth.reloads",
      title: "A reload of 10,000 rules, 100,000 users and 10,000 groups, under load",
      columns: [
        { id: "stretch", label: "computed at one stretch, ms", digits: 1, better: "less" },
        { id: "late", label: "event loop late by, ms", digits: 1, better: "less" },
      ],
      rows: [
        { name: "under load alone", samples: samplesOf(atRest) },
        { name: "while it reloads", own: true, samples: samplesOf(stalls) },
      ],
      limits: [
        atMost(
          20,
          "computed at one stretch, ms",
          stalls.map(({ stretch }) => stretch),
        ),
      ],
    };
  } finally {
    await gate?.close();
    await registry.close();
  }
}

function samplesOf(delays: readonly Delay[]): Row["samples"] {
  return { late: delays.map(({ late }) => late), stretch: delays.map(({ stretch }) => stretch) };
}

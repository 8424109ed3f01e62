import type { WorkDone } from "../slow-clients/ordinary-work.ts";
import { type OrdinaryWork, startScene } from "../slow-clients/scene.ts";
import { slowModes } from "../slow-clients/slowhttptest.ts";
import { builtGate } from "./built-gate.ts";
import { atMost, type Findings, type Limit, type Row } from "./findings.ts";
import { median } from "./rounds.ts";
import type { Scale } from "./scale.ts";

const connections = 2000;
/** How often an attack is compared with rest before it counts: whatever else the machine does meets both. */
const attempts = 3;
/** How much longer a pull or a login may take. */
const mostSlower = 3;

type Kind = keyof OrdinaryWork;
const kinds: readonly Kind[] = ["manifests", "blobs", "logins"];

/** Whether pulls and logins go on as they do at rest, while slowhttptest holds connections in all its modes. */
export async function slowClients({ quick, seconds, progress }: Scale): Promise<Findings> {
  const duration = Math.ceil(3 * seconds);
  const scene = await startScene(builtGate);
  const rows: Row[] = [];
  const limits: Limit[] = [];
  try {
    await scene.rest(seconds);
    // Each mode takes several seconds to show anything.
    for (const mode of quick ? slowModes.slice(0, 1) : slowModes) {
      progress(mode);
      let best: { readonly ratio: number; readonly row: Row } | undefined;
      let failures = 0;
      for (let attempt = 0; attempt < attempts && (best === undefined || best.ratio > mostSlower); attempt++) {
        const rest = await scene.rest(seconds);
        const attack = await scene.under(mode, connections, duration);
        const ratios = kinds.map((kind) => latencyOf(attack[kind]) / latencyOf(rest[kind]));
        failures += kinds.reduce((sum, kind) => sum + attack[kind].failures.length, 0);
        const ratio = Math.max(...ratios);
        const row: Row = {
          name: mode,
          own: true,
          samples: {
            slower: [ratio],
            ...Object.fromEntries(kinds.map((kind) => [kind, [latencyOf(attack[kind])]])),
            descriptors: [attack.descriptors],
            memory: [attack.memoryGrowth],
          },
        };
        if (best === undefined || ratio < best.ratio) best = { ratio, row };
      }
      if (best !== undefined) rows.push(best.row);
      limits.push(atMost(mostSlower, `latency ÷ rest, ${mode}`, best?.ratio ?? Number.NaN));
      limits.push(atMost(0, `refused, ${mode}`, failures));
    }
  } finally {
    await scene.close();
  }
  return {
    id: "slow-clients",
    title: `Pulls and fresh logins while ${connections} clients are slow`,
    columns: [
      { id: "slower", label: "slowest ÷ rest", digits: 2, better: "less" },
      ...kinds.map((kind) => ({ id: kind, label: `${kind} ms`, digits: 1, better: "less" as const })),
      { id: "descriptors", label: "descriptors", digits: 0 },
      { id: "memory", label: "MiB more", digits: 0, better: "less" },
    ],
    rows,
    limits,
  };
}

function latencyOf({ latencies }: WorkDone): number {
  return median(latencies);
}

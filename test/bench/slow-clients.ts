import type { WorkDone } from "../slow-clients/ordinary-work.ts";
import { type OrdinaryWork, startScene } from "../slow-clients/scene.ts";
import { slowModes } from "../slow-clients/slowhttptest.ts";
import type { Findings, Limit } from "./report.ts";
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
export async function slowClients({ seconds }: Scale): Promise<Findings> {
  const duration = 3 * seconds;
  const scene = await startScene();
  const rows: string[][] = [];
  const limits: Limit[] = [];
  try {
    await scene.rest(seconds);
    for (const mode of slowModes) {
      let best: { readonly ratio: number; readonly row: string[] } | undefined;
      let failures = 0;
      for (let attempt = 0; attempt < attempts && (best === undefined || best.ratio > mostSlower); attempt++) {
        const rest = await scene.rest(seconds);
        const attack = await scene.under(mode, connections, duration);
        const ratios = kinds.map((kind) => latencyOf(attack[kind]) / latencyOf(rest[kind]));
        const cells = kinds.map(
          (kind, index) => `${latencyOf(attack[kind]).toFixed(1)} (${ratios[index]?.toFixed(2)})`,
        );
        failures += kinds.reduce((sum, kind) => sum + attack[kind].failures.length, 0);
        const ratio = Math.max(...ratios);
        const row = [mode, ...cells, `${attack.descriptors}`, attack.memoryGrowth.toFixed(0)];
        if (best === undefined || ratio < best.ratio) best = { ratio, row };
      }
      rows.push(best?.row ?? []);
      limits.push({ name: `latency ÷ rest, ${mode}`, value: best?.ratio ?? Number.NaN, bound: { atMost: mostSlower } });
      limits.push({ name: `refused, ${mode}`, value: failures, bound: { atMost: 0 } });
    }
  } finally {
    await scene.close();
  }
  return {
    title: `Pulls and fresh logins while ${connections} clients are slow: median ms (÷ rest)`,
    table: [["", ...kinds, "descriptors", "MiB more"], ...rows],
    limits,
  };
}

function latencyOf({ latencies }: WorkDone): number {
  return median(latencies);
}

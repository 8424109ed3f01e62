import { z } from "zod";
import { atMost, type Findings } from "./findings.ts";
import { type GrowingGate, startGrowingGate, worstOf } from "./growing-gate.ts";
import { type LargeRegistry, startLargeRegistry } from "./large-registry.ts";
import { forgetPeak, peakMemoryOfTree, processorSecondsOfTree } from "./process-usage.ts";
import { interleave, ratios } from "./rounds.ts";
import type { Scale } from "./scale.ts";

/** The body of a page, and nothing else of it. */
const catalogPage = z.object({ repositories: z.array(z.string()) });

const rules = 1000;
/** As many names as a page may have at the most. */
const page = 5000;
/** A small catalog is of this many repositories. */
const few = 500;
const many = 50_000;

interface Catalog {
  readonly count: number;
  readonly registry: LargeRegistry;
  readonly gate: GrowingGate;
}

/** What listings of a catalog came to. */
interface Listings {
  /** Processor time for each name of the registry's catalog, shown or not, in microseconds. */
  readonly processor: number;
  /** How long a whole one took, in milliseconds. */
  readonly time: number;
  /** How long the gate has computed at one stretch, in milliseconds, at the most. */
  readonly stretch: number;
  /** The gate's peak of resident memory, in MiB. */
  readonly memory: number;
}

/** What the catalog costs where rules show a quarter of it, by how long it is. */
export async function catalogs(scale: Scale): Promise<Findings> {
  const open: Catalog[] = [];
  try {
    scale.progress("starting");
    for (const count of [few, many]) {
      const registry = await startLargeRegistry(count, (index) => `team${(index % (rules - 1)) + 1}/service-${index}`);
      open.push({ count, registry, gate: await startGrowingGate(registry.url, { rules, users: 10, groups: 1 }) });
    }
    const seconds = Math.max(1, scale.seconds);
    scale.progress("warming up");
    for (const catalog of open) await list(catalog, 4);
    const [small = [], large = []] = await interleave(open, scale, (catalog) => list(catalog, seconds));
    const samplesOf = (listings: readonly Listings[]) => ({
      processor: listings.map(({ processor }) => processor),
      time: listings.map(({ time }) => time),
      stretch: listings.map(({ stretch }) => stretch),
      memory: listings.map(({ memory }) => memory),
    });
    const processor = ratios(samplesOf(large).processor, samplesOf(small).processor);
    const memory = large.map((listings, round) => listings.memory - (small[round]?.memory ?? Number.NaN));
    return {
      id: "growth.catalog",
      title: `The whole catalog, filtered by ${rules.toLocaleString("en")} rules, in pages of ${page}`,
      columns: [
        { id: "processor", label: "CPU µs a name", digits: 2, better: "less" },
        { id: "time", label: "ms", digits: 1, better: "less" },
        { id: "stretch", label: "computed at one stretch, ms", digits: 1, better: "less" },
        { id: "memory", label: "peak MiB", digits: 0, better: "less" },
      ],
      rows: [
        { name: `${few} repositories`, own: true, samples: samplesOf(small) },
        { name: `${many} repositories`, own: true, samples: samplesOf(large) },
      ],
      limits: [
        atMost(2, `processor a name, ${many} ÷ ${few}`, processor),
        atMost(20, "computed at one stretch, ms", samplesOf(large).stretch),
        atMost(64, `MiB at the peak, ${many} more than ${few}`, memory),
      ],
    };
  } finally {
    for (const { gate, registry } of open) {
      await gate.close();
      await registry.close();
    }
  }
}

/** Lists the whole catalog, time and again. */
async function list({ count, gate }: Catalog, seconds: number): Promise<Listings> {
  await forgetPeak(gate.pid);
  const delaysBefore = (await gate.delays()).length;
  const before = await processorSecondsOfTree(gate.pid);
  const start = performance.now();
  let done = 0;
  do {
    await listOnce(gate, count);
    done++;
  } while (performance.now() - start < seconds * 1000);
  const time = (performance.now() - start) / done;
  const used = (await processorSecondsOfTree(gate.pid)) - before;
  const delays = (await gate.delays()).slice(delaysBefore);
  return {
    processor: (used / (done * count)) * 1e6,
    time,
    stretch: worstOf(delays).stretch,
    memory: await peakMemoryOfTree(gate.pid),
  };
}

async function listOnce({ url, headers }: GrowingGate, count: number): Promise<void> {
  let shown = 0;
  let path: string | undefined = `/v2/_catalog?n=${page}`;
  while (path !== undefined) {
    const response = await fetch(new URL(path, url), { headers });
    if (!response.ok) throw new Error(`the catalog is ${response.status}`);
    shown += catalogPage.parse(await response.json()).repositories.length;
    path = /<([^>]+)>; *rel="next"/.exec(response.headers.get("link") ?? "")?.[1];
  }
  // The rules for all who log in are a quarter, and those of the caller are none.
  if (shown < count / 8 || shown > count / 2) throw new Error(`${shown} of ${count} repositories are shown`);
}

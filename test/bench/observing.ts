import { closeAll, startAll } from "./contender.ts";
import { atLeast, type Findings } from "./findings.ts";
import { compareLoads, rateRatios } from "./loads.ts";
import { startGate } from "./proxies.ts";
import { manifestPath } from "./reads.ts";
import type { Scale } from "./scale.ts";

/** Between two scrapes, in milliseconds: much more often than anybody does it. */
const scrapeInterval = 1000;
/** The share of the rate that metrics and an audit may cost. */
const least = 0.95;

/** The gate with metrics, which are scraped, and an audit, against the gate without both. */
export async function observing(scale: Scale): Promise<Findings> {
  const { gate, registry } = await scale.shared.gate();
  const contenders = await startAll([
    () => startGate({ registry, observed: true }).then((observed) => ({ ...observed, name: "gate, observed" })),
    async () => gate,
  ]);
  let scraping: NodeJS.Timeout | undefined;
  try {
    const admin = contenders[0]?.adminUrl;
    if (admin === undefined) throw new Error("the gate has no admin listener");
    scraping = setInterval(() => void scrape(`${admin}/metrics`), scrapeInterval);
    return await compareLoads(
      {
        id: "observing.reads",
        title: "GET of a manifest, with metrics and an audit",
        contenders,
        request: { path: manifestPath },
        connections: 16,
        limits: (loads) => [atLeast(least, "rate ÷ gate without", rateRatios(loads[0], loads[1]))],
      },
      scale,
    );
  } finally {
    clearInterval(scraping);
    await closeAll(contenders);
  }
}

async function scrape(url: string): Promise<void> {
  const response = await fetch(url);
  if (!(await response.text()).includes("registry_gate_requests_total")) throw new Error(`${url} has no requests`);
}

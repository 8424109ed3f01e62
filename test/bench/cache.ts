import { pullStorm } from "../content-cache/storm.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { pushImage } from "../support/registry-content.ts";
import { startRelay } from "../support/relay.ts";
import { closeAll, startAll } from "./contender.ts";
import { atLeast, atMost, type Findings } from "./findings.ts";
import { compareLoads, rateRatios } from "./loads.ts";
import { startBareNginx, startGate, startRecipe } from "./proxies.ts";
import { manifestPath } from "./reads.ts";
import type { Scale } from "./scale.ts";

/** Longer than a run. */
const cache = { ttl: "12h", maxAge: "12h" };
const named = (name: string) => (gate: Awaited<ReturnType<typeof startGate>>) => ({ ...gate, name });
/** Of nginx without logins, which asks a registry that costs next to nothing. */
const leastOfNginx = 0.6;
/** Of the recipe, in front of a real registry. */
const leastOfRecipe = 5;
const clients = 1000;
const mostRequests = 19;

/** A kept manifest, against nginx without logins, which asks the registry each time. */
export async function cachedReads(scale: Scale): Promise<Findings> {
  const shared = await scale.shared.gate();
  const settings = { registry: shared.registry };
  const contenders = await startAll([
    () => startGate({ ...settings, cache }).then(named("gate, cached")),
    () => startBareNginx(settings),
    async () => shared.gate,
  ]);
  try {
    return await compareLoads(
      {
        id: "cache.reads",
        title: "GET of a kept manifest, plain HTTP",
        contenders,
        request: { path: manifestPath },
        connections: 16,
        limits: (loads) => [atLeast(leastOfNginx, "rate ÷ nginx without logins", rateRatios(loads[0], loads[1]))],
      },
      scale,
    );
  } finally {
    await closeAll(contenders);
  }
}

/** The same in front of docker-registry, against the recipe. */
export async function cachedRealReads(scale: Scale): Promise<Findings> {
  const registry = await startDockerRegistry();
  const settings = { registry: registry.url };
  try {
    await pushImage({ url: registry.url, headers: {} }, "team/app", "latest", "a layer");
    const contenders = await startAll([
      () => startGate({ ...settings, cache }).then(named("gate, cached")),
      () => startRecipe(settings, "apr1"),
      () => startGate({ ...settings, cache: {} }).then(named("gate, revalidating")),
    ]);
    try {
      return await compareLoads(
        {
          id: "cache.registry",
          title: "GET of a kept manifest of docker-registry, plain HTTP",
          contenders,
          request: { path: manifestPath },
          connections: 16,
          limits: (loads) => [atLeast(leastOfRecipe, "rate ÷ recipe, apr1", rateRatios(loads[0], loads[1]))],
        },
        scale,
      );
    } finally {
      await closeAll(contenders);
    }
  } finally {
    await registry.close();
  }
}

/** How many requests a thousand pulls of one image cost the registry. */
export async function cachedStorm({ progress }: Scale): Promise<Findings> {
  const registry = await startDockerRegistry();
  try {
    const relay = await startRelay(Number(new URL(registry.url).port));
    try {
      const content = "a layer ".repeat(10_000);
      const { repository, tag } = await pushImage({ url: registry.url, headers: {} }, "team/app", "latest", content);
      const gate = await startGate({ registry: `http://127.0.0.1:${relay.port}`, cache });
      try {
        progress(`${clients} pulls`);
        const { url, headers } = gate;
        const begun = performance.now();
        // As many as one user may have at once.
        await pullStorm({ url, headers, repository, tag, content, clients, atOnce: 200 });
        const seconds = (performance.now() - begun) / 1000;
        const requests =
          relay
            .sent()
            .toString("latin1")
            .match(/^(?:GET|HEAD) /gm)?.length ?? 0;
        return {
          id: "cache.storm",
          title: `${clients} clients pull one image of docker-registry, 4 requests each`,
          columns: [
            { id: "requests", label: "requests to the registry", digits: 0, better: "less" },
            { id: "seconds", label: "s", digits: 1, better: "less" },
          ],
          rows: [{ name: "gate, cached", own: true, samples: { requests: [requests], seconds: [seconds] } }],
          limits: [atMost(mostRequests, "requests to the registry", requests)],
        };
      } finally {
        await gate.close();
      }
    } finally {
      await relay.close();
    }
  } finally {
    await registry.close();
  }
}

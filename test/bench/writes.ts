import { closeAll, startAll } from "./contender.ts";
import { atLeast, atMost, type Findings } from "./findings.ts";
import { manifest } from "./fixed-registry.ts";
import { compareLoads, rateRatios } from "./loads.ts";
import { startBareNginx, startRecipe } from "./proxies.ts";
import { manifestPath } from "./reads.ts";
import { ratios } from "./rounds.ts";
import type { Scale } from "./scale.ts";
import type { Load, LoadRequest } from "./wrk.ts";

/** The beginning of an upload, which has no body. */
export function uploadStarts(scale: Scale): Promise<Findings> {
  return compareWrites("start", "POST of an upload", { method: "POST", path: "/v2/team/app/blobs/uploads/" }, scale);
}

/** A manifest, as a push ends with. */
export function manifestPuts(scale: Scale): Promise<Findings> {
  const headers = { "Content-Type": "application/vnd.oci.image.manifest.v1+json" };
  const request = { method: "PUT", path: manifestPath, headers, body: manifest };
  return compareWrites("manifest", "PUT of a manifest", request, scale);
}

/** Small writes in front of a registry that costs next to nothing. */
async function compareWrites(id: string, title: string, request: LoadRequest, scale: Scale): Promise<Findings> {
  const { gate, registry } = await scale.shared.gate();
  const settings = { registry };
  const contenders = await startAll([
    async () => gate,
    () => startRecipe(settings, "apr1"),
    ...(scale.leavesOut ? [] : [() => startBareNginx(settings)]),
  ]);
  const limits = ([own = [], recipe = []]: readonly (readonly Load[])[]) => [
    atLeast(3, "rate ÷ recipe, apr1", rateRatios(own, recipe)),
    atMost(1, "p99 ÷ recipe, apr1", ratios(p99(own), p99(recipe))),
  ];
  try {
    return await compareLoads({ id: `writes.${id}.16`, title, contenders, request, connections: 16, limits }, scale);
  } finally {
    await closeAll(contenders);
  }
}

function p99(loads: readonly Load[]): number[] {
  return loads.map((load) => load.p99);
}

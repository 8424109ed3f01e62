import { type Contender, closeAll, startAll } from "./contender.ts";
import { atLeast, atMost, type Findings, type Limit } from "./findings.ts";
import { compareLoads, rateRatios } from "./loads.ts";
import { runStep } from "./part.ts";
import { type ProxySettings, startBareNginx, startGate, startRecipe } from "./proxies.ts";
import { ratios } from "./rounds.ts";
import type { Scale } from "./scale.ts";
import type { Load } from "./wrk.ts";

/** What is read: a manifest, by its tag. */
export const manifestPath = "/v2/team/app/manifests/latest";
const request = { path: manifestPath };

/** How long the recipe is loaded that verifies bcrypt of cost 10 for each request, in seconds. */
const slowSeconds = 10;

/**
 * Authenticated `GET`s of a manifest in front of a registry that costs next to nothing: the gate against the recipe, and
 * against nginx without logins. A whole run has the recipe with other passwords too, plain and with the fewest connections.
 */
export async function reads(scale: Scale, secure: boolean): Promise<Findings[]> {
  const { gate, registry } = await scale.shared.gate();
  const settings = { registry, tls: secure ? scale.certificate : undefined };
  const contenders = await startAll([
    secure ? () => startGate(settings) : async () => gate,
    () => startRecipe(settings, "apr1", 28),
    () => startBareNginx(settings),
    ...(secure || scale.leavesOut
      ? []
      : [() => startRecipe(settings, "apr1", 8), () => startRecipe(settings, "bcrypt 5")]),
  ]);
  const [fewest] = scale.connections;
  try {
    const all: Findings[] = [];
    for (const connections of scale.connections) {
      const limits = (loads: readonly (readonly Load[])[]): Limit[] => [
        ...(connections === fewest ? limitsOfRate(loads, secure) : []),
        atMost(1, "p99 ÷ recipe, apr1, 28 characters", percentileRatios(loads[0], loads[1])),
      ];
      const id = `reads.${secure ? "tls" : "plain"}.${connections}`;
      const title = `GET of a manifest, ${secure ? "TLS" : "plain HTTP"}`;
      const compared = connections === fewest ? contenders : contenders.slice(0, 3);
      // What fails with many connections leaves the figures of few.
      const comparison = { id, title, contenders: compared, request, connections, limits };
      all.push(...(await runStep(id, () => compareLoads(comparison, scale))));
    }
    if (secure || scale.quick) return all;
    const slow = (): Promise<Findings> => slowReads(settings, contenders.slice(0, 1), scale);
    return [...all, ...(await runStep("reads.bcrypt-10", slow))];
  } finally {
    await closeAll(contenders);
  }
}

function limitsOfRate(loads: readonly (readonly Load[])[], secure: boolean): Limit[] {
  const [gate = [], recipe, bare] = loads;
  const times = atLeast(secure ? 3 : 4, "rate ÷ recipe, apr1, 28 characters", rateRatios(gate, recipe));
  if (secure) return [times];
  const processor = gate.map((load) => load.processor);
  return [
    times,
    atLeast(0.4, "rate ÷ nginx without logins", rateRatios(gate, bare)),
    atMost(45, "processor µs a request", processor),
  ];
}

function percentileRatios(ours: readonly Load[] = [], theirs: readonly Load[] = []): number[] {
  return ratios(
    ours.map(({ p99 }) => p99),
    theirs.map(({ p99 }) => p99),
  );
}

/** A handful of responses a second: one round has to do. */
async function slowReads(settings: ProxySettings, gates: readonly Contender[], scale: Scale): Promise<Findings> {
  const slow = await startRecipe(settings, "bcrypt 10");
  try {
    const contenders = [...gates, slow];
    return await compareLoads(
      {
        id: "reads.bcrypt-10",
        title: "GET of a manifest, plain HTTP, passwords with bcrypt of cost 10",
        contenders,
        request,
        connections: 16,
        limits: ([gate, recipe]) => [atLeast(400, "rate ÷ recipe, bcrypt 10", rateRatios(gate, recipe))],
      },
      { ...scale, rounds: 1, seconds: slowSeconds },
    );
  } finally {
    await slow.close();
  }
}

import { type Contender, closeAll, startAll } from "./contender.ts";
import { startFixedRegistry } from "./fixed-registry.ts";
import { type ProxySettings, startBareNginx, startGate, startRecipe } from "./proxies.ts";
import type { Findings, Limit } from "./report.ts";
import { interleave, median, medianRatio } from "./rounds.ts";
import type { Scale } from "./scale.ts";
import { load } from "./wrk.ts";

const path = "/v2/team/app/manifests/latest";
const connections = 16;
/** Before anything is counted: Node compiles what is used often only after a while. */
const warmUpSeconds = 3;

/** Authenticated `GET`s of a manifest in front of a registry that costs next to nothing. */
export async function reads(scale: Scale, secure: boolean): Promise<Findings> {
  const registry = await startFixedRegistry("/nowhere");
  try {
    const settings = { registry: registry.url, tls: secure ? scale.certificate : undefined };
    return await compareReads(`GET of a manifest, ${secure ? "TLS" : "plain HTTP"}`, settings, scale);
  } finally {
    await registry.close();
  }
}

/** The gate against the recipe, with passwords as they may be kept there, and against nginx without logins. */
export async function compareReads(title: string, settings: ProxySettings, scale: Scale): Promise<Findings> {
  const contenders = await startAll([
    () => startGate(settings),
    () => startRecipe(settings, "apr1"),
    () => startRecipe(settings, "bcrypt 5"),
    () => startBareNginx(settings),
  ]);
  const floor = { name: "rate ÷ recipe, apr1", bound: { atLeast: 1 } };
  try {
    const findings = await compareLoads(title, contenders, scale, floor);
    // A handful of responses a second: one round has to do.
    const slow = await startRecipe(settings, "bcrypt 10");
    try {
      const single = { ...scale, rounds: 1, seconds: 10 };
      const { table } = await compareLoads(title, [...contenders.slice(0, 1), slow], single);
      return { ...findings, table: [...findings.table, ...table.slice(-1)] };
    } finally {
      await slow.close();
    }
  } finally {
    await closeAll(contenders);
  }
}

/** @param floor What the rate of the first is to reach, measured by that of the second. */
export async function compareLoads(
  title: string,
  contenders: readonly Contender[],
  { rounds, seconds }: Scale,
  floor?: Omit<Limit, "value">,
): Promise<Findings> {
  for (const contender of contenders) await load(contender, { path, connections, seconds: warmUpSeconds });
  const measured = await interleave(contenders, rounds, (contender) => load(contender, { path, connections, seconds }));
  const rates = (index: number): number[] => (measured[index] ?? []).map(({ rate }) => rate);
  const rows = contenders.map(({ name }, index) => {
    const loads = measured[index] ?? [];
    return [
      name,
      median(rates(index)).toFixed(0),
      medianRatio(rates(0), rates(index)).toFixed(3),
      median(loads.map(({ p50 }) => p50)).toFixed(2),
      median(loads.map(({ p99 }) => p99)).toFixed(2),
      median(loads.map(({ processor }) => processor)).toFixed(0),
    ];
  });
  return {
    title: `${title}, ${connections} connections`,
    table: [["", "requests/s", "first ÷ it", "p50 ms", "p99 ms", "CPU µs"], ...rows],
    limits: floor === undefined ? [] : [{ ...floor, value: medianRatio(rates(0), rates(1)) }],
  };
}

import { closeAll, startAll } from "./contender.ts";
import { atLeast, type Findings, type Limit } from "./findings.ts";
import { startFixedRegistry } from "./fixed-registry.ts";
import { compareLoads, rateRatios } from "./loads.ts";
import { type ProxySettings, startBareNginx, startGate, startRecipe } from "./proxies.ts";
import type { Scale } from "./scale.ts";
import type { Load } from "./wrk.ts";

/** What is read: a manifest, by its tag. */
export const manifestPath = "/v2/team/app/manifests/latest";

/** Authenticated `GET`s of a manifest in front of a registry that costs next to nothing. */
export async function reads(scale: Scale, secure: boolean): Promise<Findings> {
  const registry = await startFixedRegistry("/nowhere");
  try {
    const settings = { registry: registry.url, tls: secure ? scale.certificate : undefined };
    const id = `reads.${secure ? "tls" : "plain"}.16`;
    return await compareReads(id, `GET of a manifest, ${secure ? "TLS" : "plain HTTP"}`, settings, scale);
  } finally {
    await registry.close();
  }
}

/** The gate against the recipe, with passwords as they may be kept there, and against nginx without logins. */
export async function compareReads(
  id: string,
  title: string,
  settings: ProxySettings,
  scale: Scale,
): Promise<Findings> {
  const contenders = await startAll([
    () => startGate(settings),
    () => startRecipe(settings, "apr1", 28),
    () => startRecipe(settings, "apr1", 8),
    () => startRecipe(settings, "bcrypt 5"),
    () => startBareNginx(settings),
  ]);
  const limits = (loads: readonly (readonly Load[])[]): Limit[] => [
    atLeast(1, "rate ÷ recipe, apr1, 28 characters", rateRatios(loads[0], loads[1])),
  ];
  try {
    const request = { path: manifestPath };
    return await compareLoads({ id, title, contenders, request, connections: 16, limits }, scale);
  } finally {
    await closeAll(contenders);
  }
}

import { basic } from "../support/basic.ts";
import { directoryBackend } from "../support/directory-backend.ts";
import { startSlapd } from "../support/slapd.ts";
import { closeAll, startAll } from "./contender.ts";
import { atLeast, type Findings } from "./findings.ts";
import { compareLoads, rateRatios } from "./loads.ts";
import { startGate } from "./proxies.ts";
import { manifestPath } from "./reads.ts";
import type { Scale } from "./scale.ts";

/** `GET`s of one user whom the gate remembers, so that it must not matter where it knows him from. */
export async function rememberedLogins(scale: Scale): Promise<Findings> {
  const { gate, registry } = await scale.shared.gate();
  const slapd = await startSlapd({ logged: false });
  const directory = {
    name: "gate, LDAP",
    backend: directoryBackend(slapd),
    headers: basic("load00", "load00pw"),
  };
  try {
    const contenders = await startAll([() => startGate({ registry }, directory), async () => gate]);
    try {
      return await compareLoads(
        {
          id: "ldap.remembered",
          title: "GET of a manifest by a user who is remembered, plain HTTP",
          contenders,
          request: { path: manifestPath },
          connections: 16,
          limits: (loads) => [atLeast(0.9, "rate ÷ htpasswd", rateRatios(loads[0], loads[1]))],
        },
        scale,
      );
    } finally {
      await closeAll(contenders);
    }
  } finally {
    await slapd.close();
  }
}

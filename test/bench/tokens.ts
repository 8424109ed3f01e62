import type { Contender } from "./contender.ts";
import { atLeast, atMost, type Findings } from "./findings.ts";
import { compareLoads, rateRatios } from "./loads.ts";
import { manifestPath } from "./reads.ts";
import type { Scale } from "./scale.ts";

const scope = "scope=repository:team/app:pull,push";

/** `GET`s with a token, beside those with a remembered password at the same gate. */
export async function bearerReads(scale: Scale): Promise<Findings> {
  const { gate } = await scale.shared.gate();
  const token = await tokenOf(gate);
  const bearer = { ...gate, name: "gate, Bearer", headers: { Authorization: `Bearer ${token}` } };
  return compareLoads(
    {
      id: "tokens.reads",
      title: "GET of a manifest with a token, plain HTTP",
      contenders: [bearer, { ...gate, name: "gate, Basic" }],
      request: { path: manifestPath },
      connections: 16,
      limits: (loads) => [atLeast(0.95, "rate ÷ remembered Basic", rateRatios(loads[0], loads[1]))],
    },
    scale,
  );
}

/** Tokens for a user whose login is remembered. */
export async function tokenIssuance(scale: Scale): Promise<Findings> {
  const { gate } = await scale.shared.gate();
  return compareLoads(
    {
      id: "tokens.issuance",
      title: "Tokens for a remembered login, plain HTTP",
      contenders: [gate],
      request: { path: `/v2/auth?${scope}` },
      connections: 16,
      limits: ([loads = []]) => [
        atMost(
          1000,
          "processor µs a token",
          loads.map(({ processor }) => processor),
        ),
      ],
    },
    scale,
  );
}

async function tokenOf({ url, headers }: Contender): Promise<string> {
  const response = await fetch(`${url}/v2/auth?${scope}`, { headers });
  const body: unknown = await response.json();
  const token: unknown = typeof body === "object" && body !== null ? Reflect.get(body, "token") : undefined;
  if (typeof token !== "string") throw new Error(`no token: ${response.status}`);
  return token;
}

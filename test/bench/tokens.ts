import { type Contender, closeAll, startAll } from "./contender.ts";
import { startFixedRegistry } from "./fixed-registry.ts";
import { startGate } from "./proxies.ts";
import { compareLoads } from "./reads.ts";
import type { Findings } from "./report.ts";
import { interleave, median } from "./rounds.ts";
import type { Scale } from "./scale.ts";
import { load } from "./wrk.ts";

const scope = "scope=repository:team/app:pull,push";

/** `GET`s with a token, beside those with a remembered password at the same gate. */
export async function bearerReads(scale: Scale): Promise<Findings> {
  return withGate(async (gate) => {
    const token = await tokenOf(gate);
    const bearer = { ...gate, name: "gate, Bearer", headers: { Authorization: `Bearer ${token}` } };
    const title = "GET of a manifest with a token, plain HTTP";
    const floor = { name: "rate ÷ remembered Basic", bound: { atLeast: 0.95 } };
    return compareLoads(title, [bearer, { ...gate, name: "gate, Basic" }], scale, floor);
  });
}

/** Tokens for a user whose login is remembered. */
export async function tokenIssuance({ rounds, seconds }: Scale): Promise<Findings> {
  return withGate(async (gate) => {
    const settings = { path: `/v2/auth?${scope}`, connections: 16, seconds };
    await load(gate, settings);
    const [loads = []] = await interleave([gate], rounds, (contender) => load(contender, settings));
    const processor = median(loads.map((one) => one.processor));
    return {
      title: "Tokens for a remembered login, plain HTTP, 16 connections",
      table: [
        ["", "tokens/s", "p50 ms", "p99 ms", "CPU µs"],
        [
          "gate",
          median(loads.map(({ rate }) => rate)).toFixed(0),
          median(loads.map(({ p50 }) => p50)).toFixed(2),
          median(loads.map(({ p99 }) => p99)).toFixed(2),
          processor.toFixed(0),
        ],
      ],
      limits: [{ name: "processor µs a token", value: processor, bound: { atMost: 1000 } }],
    };
  });
}

async function withGate(measure: (gate: Contender) => Promise<Findings>): Promise<Findings> {
  const registry = await startFixedRegistry("/nowhere");
  try {
    const gates = await startAll([() => startGate({ registry: registry.url })]);
    const [gate] = gates;
    try {
      if (gate === undefined) throw new Error("no gate was started");
      return await measure(gate);
    } finally {
      await closeAll(gates);
    }
  } finally {
    await registry.close();
  }
}

async function tokenOf({ url, headers }: Contender): Promise<string> {
  const response = await fetch(`${url}/v2/auth?${scope}`, { headers });
  const body: unknown = await response.json();
  const token: unknown = typeof body === "object" && body !== null ? Reflect.get(body, "token") : undefined;
  if (typeof token !== "string") throw new Error(`no token: ${response.status}`);
  return token;
}

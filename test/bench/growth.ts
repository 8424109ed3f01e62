import type { Principal } from "@registry-gate/auth";
import { compilePolicy } from "@registry-gate/core";
import { basic } from "../support/basic.ts";
import { type Contender, closeAll } from "./contender.ts";
import { atMost, type Column, type Findings, type Row } from "./findings.ts";
import { startFixedRegistry } from "./fixed-registry.ts";
import { type Delay, type GrowingGate, rulesOf, startGrowingGate, userOf } from "./growing-gate.ts";
import { connectIdle } from "./idle-connections.ts";
import { interleave, ratios } from "./rounds.ts";
import type { Scale } from "./scale.ts";
import { type Load, load } from "./wrk.ts";

const path = "/v2/team/app/manifests/latest";

/** What a decision costs among so many rules, for one caller and few repositories, and for one in as many groups. */
export async function decisions({ quick, rounds, progress }: Scale): Promise<Findings> {
  progress("compiling rules");
  const sizes = [10, 1000, 10_000];
  const cases = sizes.flatMap((count) => [
    { name: `${count} rules`, count, groups: 1 },
    { name: `${count} rules, a caller in ${count} groups`, count, groups: count },
  ]);
  const measured = cases.map(({ count, groups }) => {
    const policy = compilePolicy(rulesOf(count));
    const names = Array.from({ length: groups }, (_, index) => `group${index}`);
    const caller: Principal = {
      kind: "user",
      identity: { subject: "u", username: userOf(2), groups: names, backend: "bench" },
      via: "basic",
    };
    const repositories = Array.from({ length: 8 }, (_, index) => (index === 0 ? "team/app" : `team${index}/app`));
    return (): number => {
      const times = quick ? 100_000 : 500_000;
      const start = performance.now();
      for (let done = 0; done < times; done++) {
        const name = repositories[done % repositories.length] ?? "";
        policy.decide(caller, { type: "repository", name, action: "pull" });
      }
      return ((performance.now() - start) / times) * 1e6;
    };
  });
  for (const decide of measured) decide();
  const samples: number[][] = measured.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, decide] of measured.entries()) samples[index]?.push(decide());
  }
  const of = (index: number): readonly number[] => samples[index] ?? [];
  return {
    id: "growth.decisions",
    title: "A decision among many rules",
    columns: [{ id: "time", label: "ns", digits: 0, better: "less" }],
    rows: cases.map(({ name }, index) => ({ name, own: true, samples: { time: of(index) } })),
    limits: [
      atMost(2, "10,000 rules ÷ 10", ratios(of(4), of(0))),
      atMost(2, "10,000 rules and groups ÷ 10", ratios(of(5), of(1))),
    ],
  };
}

/** What a request costs where the gate knows much, has many connections or remembers many logins. */
export async function growth(scale: Scale): Promise<Findings> {
  const { quick, rounds, progress, seconds, warmUp } = scale;
  const registry = await startFixedRegistry("/nowhere");
  const gates: GrowingGate[] = [];
  const idle: { close(): void }[] = [];
  try {
    progress("starting");
    const small = await startGrowingGate(registry.url, { rules: 10, users: 10, groups: 1 });
    gates.push(small);
    const large = await startGrowingGate(registry.url, { rules: 10_000, users: 100_000, groups: 10_000 });
    gates.push(large);
    const measure = (gate: Contender, connections: number, users: number, time: number): Promise<Load> =>
      load(gate, { request: requestsOf(users), connections, seconds: time });
    for (const gate of gates) await measure(gate, 16, 1, warmUp);
    const [few = [], much = []] = await interleave(gates, scale, (gate) => measure(gate, 16, 1, seconds));
    // From here on each gate is its own former self's contender.
    const users = quick ? 1000 : 10_000;
    await measure(large, 16, users, Math.max(3, seconds));
    const remembering = await each(rounds, () => measure(large, 16, users, seconds));
    const connections = quick ? 500 : 2000;
    const active = await each(rounds, () => measure(small, connections, 1, Math.max(1, seconds)));
    const waiting = quick ? 2000 : 10_000;
    progress(`${waiting} idle connections`);
    idle.push(await connectIdle(small.url, waiting));
    const beside = await each(rounds, () => measure(small, 16, 1, seconds));
    const rows = [
      rowOf(small.name, few, few),
      rowOf(large.name, much, few),
      rowOf(`the latter, ${users} remembered logins`, remembering, few),
      rowOf(`the former, ${connections} active connections`, active, few),
      rowOf(`the former, ${waiting} idle connections`, beside, few),
    ];
    return {
      id: "growth.requests",
      title: "GET of a manifest, as the gate grows",
      columns,
      rows,
      limits: [
        atMost(1.15, "processor, large ÷ small", processorRatios(much, few)),
        atMost(2, "processor, remembered logins ÷ small", processorRatios(remembering, few)),
        atMost(1.3, "processor, active connections ÷ small", processorRatios(active, few)),
        atMost(1.15, "processor, idle connections ÷ small", processorRatios(beside, few)),
      ],
      notes: ["of many users in turn each request is by another one, for whom no connection to the registry is kept"],
    };
  } finally {
    for (const { close } of idle) close();
    await closeAll(gates);
    await registry.close();
  }
}

/** By how much requests are held up while a large configuration and large files are read anew. */
export async function reloads({ quick, rounds, progress }: Scale): Promise<Findings> {
  const registry = await startFixedRegistry("/nowhere");
  let gate: GrowingGate | undefined;
  try {
    progress("starting");
    gate = await startGrowingGate(registry.url, { rules: 10_000, users: 100_000, groups: 10_000 });
    const { change, delays } = gate;
    // What runs for the first time is compiled then.
    const stalls: Delay[] = [];
    const atRest: Delay[] = [];
    for (let round = 0; round <= (quick ? 1 : rounds); round++) {
      const before = (await delays()).length;
      await load(gate, { request: requestsOf(1), connections: 4, seconds: 1 });
      const between = (await delays()).length;
      const loaded = load(gate, { request: requestsOf(1), connections: 4, seconds: quick ? 4 : 8 });
      await change();
      await loaded;
      if (round === 0) continue;
      const all = await delays();
      atRest.push(worst(all.slice(before, between)));
      stalls.push(worst(all.slice(between)));
    }
    return {
      id: "growth.reloads",
      title: "A reload of 10,000 rules, 100,000 users and 10,000 groups, under load",
      columns: [
        { id: "stretch", label: "computed at one stretch, ms", digits: 1, better: "less" },
        { id: "late", label: "event loop late by, ms", digits: 1, better: "less" },
      ],
      rows: [
        { name: "under load alone", samples: samplesOf(atRest) },
        { name: "while it reloads", own: true, samples: samplesOf(stalls) },
      ],
      limits: [
        atMost(
          20,
          "computed at one stretch, ms",
          stalls.map(({ stretch }) => stretch),
        ),
      ],
    };
  } finally {
    await gate?.close();
    await registry.close();
  }
}

function worst(delays: readonly Delay[]): Delay {
  return {
    late: Math.max(...delays.map(({ late }) => late)),
    stretch: Math.max(...delays.map(({ stretch }) => stretch)),
  };
}

function samplesOf(delays: readonly Delay[]): Row["samples"] {
  return { late: delays.map(({ late }) => late), stretch: delays.map(({ stretch }) => stretch) };
}

const columns: readonly Column[] = [
  { id: "processor", label: "CPU µs", digits: 1, better: "less" },
  { id: "ratio", label: "÷ small", digits: 2 },
  { id: "rate", label: "requests/s", digits: 0, better: "more" },
  { id: "p99", label: "p99 ms", digits: 2, better: "less" },
  { id: "memory", label: "peak MiB", digits: 0, better: "less" },
];

function rowOf(name: string, loads: readonly Load[], small: readonly Load[]): Row {
  return {
    name,
    own: true,
    samples: {
      processor: loads.map(({ processor }) => processor),
      ratio: processorRatios(loads, small),
      rate: loads.map(({ rate }) => rate),
      p99: loads.map(({ p99 }) => p99),
      memory: loads.map(({ memory }) => memory),
    },
  };
}

function processorRatios(loads: readonly Load[], small: readonly Load[]): number[] {
  return ratios(
    loads.map(({ processor }) => processor),
    small.map(({ processor }) => processor),
  );
}

/** In turn by so many users. */
function requestsOf(users: number): { readonly path: string; readonly headers: Readonly<Record<string, string>> }[] {
  return Array.from({ length: users }, (_, index) => ({ path, headers: basic(userOf(index), userOf(index)) }));
}

async function each<T>(times: number, measure: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (let time = 0; time < times; time++) all.push(await measure());
  return all;
}

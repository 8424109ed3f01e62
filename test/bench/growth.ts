import type { Principal } from "@registry-gate/auth";
import { type AccessRule, compilePolicy } from "@registry-gate/core";
import { basic } from "../support/basic.ts";
import { type Contender, closeAll } from "./contender.ts";
import { atMost, type Column, type Findings, type Limit, type Row } from "./findings.ts";
import { startFixedRegistry } from "./fixed-registry.ts";
import { type GrowingGate, rulesOf, type Size, startGrowingGate, userOf } from "./growing-gate.ts";
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
    { name: `${count} rules`, rules: rulesOf(count), groups: 1 },
    { name: `${count} rules, a caller in ${count} groups`, rules: rulesOf(count), groups: count },
    { name: `${count} rules for */name/**`, rules: rulesOfSegments(count), groups: 1 },
  ]);
  const measured = cases.map(({ rules, groups }) => {
    const policy = compilePolicy(rules);
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
      atMost(2, "10,000 rules ÷ 10", ratios(of(6), of(0))),
      atMost(2, "10,000 rules and groups ÷ 10", ratios(of(7), of(1))),
      atMost(2, "10,000 rules for */name/** ÷ 10", ratios(of(8), of(2))),
    ],
  };
}

/** Rules whose patterns begin and end with a wildcard. */
function rulesOfSegments(count: number): AccessRule[] {
  return Array.from({ length: count }, (_, index) => ({
    subjects: ["authenticated"],
    repositories: [`*/${index === 0 ? "app" : `app${index}`}/**`],
    actions: ["pull"],
  }));
}

/** A gate in some state, and who asks it. */
interface Case {
  readonly name: string;
  readonly gate: Contender;
  readonly connections: number;
  /** How many users ask in turn. */
  readonly users: number;
  /** The most that it may cost, as a multiple of the first case. */
  readonly most?: number;
  /** Whether it shows the form of the growth alone: it is measured once, beside the first case. */
  readonly form?: boolean;
}

/** What a request costs where the gate knows much, has many connections or remembers many logins. */
export async function growth(scale: Scale): Promise<Findings> {
  const { quick, progress, warmUp } = scale;
  const registry = await startFixedRegistry("/nowhere");
  const gates: GrowingGate[] = [];
  const idle: { close(): void }[] = [];
  try {
    progress("starting");
    const start = async (size: Size): Promise<GrowingGate> => {
      const gate = await startGrowingGate(registry.url, size);
      gates.push(gate);
      return gate;
    };
    const small = await start({ rules: 10, users: 10, groups: 1 });
    const large = await start({ rules: 10_000, users: 100_000, groups: 10_000 });
    // Its connections stay while the others are measured.
    const waited = await start({ rules: 10, users: 10, groups: 1 });
    const waiting = quick ? 2000 : 10_000;
    // Each of so many has a connection to the registry that is kept; of more, some open one.
    const kept = 1000;
    const logins = quick ? [kept] : [kept, 2500, fewerLogins, moreLogins];
    const active = quick ? [500] : [250, 1000, 2000, 4000];
    const judged = quick ? 500 : 2000;
    const cases: readonly Case[] = [
      { name: small.name, gate: small, connections: 16, users: 1 },
      { name: large.name, gate: large, connections: 16, users: 1, most: 1.15 },
      ...logins.map((users): Case => {
        const asking = { name: `the latter, ${users} remembered logins`, gate: large, connections: 16, users };
        if (users === kept) return { ...asking, most: 2 };
        return users === fewerLogins || users === moreLogins ? asking : { ...asking, form: true };
      }),
      ...active.map((connections): Case => {
        const asking = { name: `the former, ${connections} active connections`, gate: small, connections, users: 1 };
        return connections === judged ? { ...asking, most: logarithmic(16, connections) } : { ...asking, form: true };
      }),
      { name: `the former, ${waiting} idle connections`, gate: waited, connections: 16, users: 1, most: 1.15 },
    ];
    const compared = cases.filter(({ form }) => form !== true);
    const forms = cases.filter((each, index) => index === 0 || each.form === true);
    const measure = (
      { gate, connections, users }: Omit<Case, "name">,
      time = Math.max(leastSeconds, scale.seconds, connections / openedASecond),
    ): Promise<Load> => load(gate, { request: requestsOf(users), connections, seconds: time });
    progress("warming up");
    for (const gate of gates) await measure({ gate, connections: 16, users: 1 }, warmUp);
    for (const each of compared.slice(2)) await measure(each);
    // Whoever is not remembered yet logs in.
    const most = Math.max(...logins);
    await measure({ gate: large, connections: 16, users: most }, most / loginsASecond);
    progress(`${waiting} idle connections`);
    idle.push(await connectIdle(waited.url, waiting));
    // All in each round, so that each has its base beside it.
    const loads = await interleave(compared, scale, (each) => measure(each));
    const once = quick ? [] : await interleave(forms, { rounds: 1, progress }, (each) => measure(each));
    const loadsOf = (each: Case): readonly [own: readonly Load[], few: readonly Load[]] => {
      const [shown, all] = each.form === true ? [forms, once] : [compared, loads];
      return [all[shown.indexOf(each)] ?? [], all[0] ?? []];
    };
    return {
      id: "growth.requests",
      title: "GET of a manifest, as the gate grows",
      columns,
      rows: cases.map((each) => rowOf(each.name, ...loadsOf(each))),
      limits: [
        ...cases.flatMap((each) =>
          each.most === undefined
            ? []
            : [atMost(each.most, `processor ÷ small, ${each.name}`, processorRatios(...loadsOf(each)))],
        ),
        ...limitOfLogins((users) => cases.filter((each) => each.users === users).flatMap((each) => loadsOf(each)[0])),
      ],
      notes: [
        "of many users in turn each has a connection to the registry, as long as they are no more than may be open; with more, " +
          "each request opens one",
        "a request among many active connections, or by one of many users, may cost as much more as the logarithm of their number is higher",
        "250, 1000 and 4000 active connections and 2500 logins show the form of the growth, and were measured in one round",
      ],
    };
  } finally {
    for (const { close } of idle) close();
    await closeAll(gates);
    await registry.close();
  }
}

/** What one of n log n may cost, as a multiple of what one of fewer costs. */
function logarithmic(fewer: number, more: number): number {
  return Number((Math.log(more) / Math.log(fewer)).toFixed(2));
}

/** More users than may have a connection each: what one more costs is judged by ever more of them. */
const fewerLogins = 10_000;
const moreLogins = 40_000;

/** @param loadsOf Those by so many users; none where they were not measured. */
function limitOfLogins(loadsOf: (users: number) => readonly Load[]): Limit[] {
  const more = loadsOf(moreLogins);
  if (more.length === 0) return [];
  const name = `processor ÷ ${fewerLogins} remembered logins, ${moreLogins} remembered logins`;
  return [atMost(logarithmic(fewerLogins, moreLogins), name, processorRatios(more, loadsOf(fewerLogins)))];
}

/** In fewer, processor time is counted too coarsely. */
const leastSeconds = 1;
/** So many at the most are opened for each second of a load: what is measured is what their requests cost. */
const openedASecond = 500;
/** So many users have logged in in a second of a load, at the least. */
const loginsASecond = 4000;

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

/** In turn by so many users, in an order in which a short load meets some of all. */
function requestsOf(users: number): { readonly path: string; readonly headers: Readonly<Record<string, string>> }[] {
  return Array.from({ length: users }, (_, turn) => {
    const user = userOf((turn * stride) % users);
    return { path, headers: basic(user, user) };
  });
}

/** A prime number that divides none of the numbers of users. */
const stride = 7919;

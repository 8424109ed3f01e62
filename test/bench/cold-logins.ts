import { Agent, request } from "node:http";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { run } from "../support/run.ts";
import { builtGate } from "./built-gate.ts";
import { giveAllCores } from "./cores.ts";
import { atMost, type Findings } from "./findings.ts";
import { startFixedRegistry } from "./fixed-registry.ts";
import { processorSecondsOfTree } from "./process-usage.ts";
import { median } from "./rounds.ts";
import type { Scale } from "./scale.ts";

const path = "/v2/team/app/manifests/latest";
const clients = 100;
const names = Array.from({ length: clients }, (_, index) => `cold${index}`);
const patient = "patient";
const password = "correct horse";

/** What logins that nobody remembers cost, and what they do to those who are remembered. */
export async function coldLogins({ quick, rounds, progress }: Scale): Promise<Findings> {
  const registry = await startFixedRegistry("/nowhere");
  const times = quick ? 1 : rounds;
  const samples = { one: [] as number[], together: [] as number[], before: [] as number[], meanwhile: [] as number[] };
  try {
    const [, hash = ""] = (await run("htpasswd", ["-bn", "-B", "-C", "10", patient, password])).trim().split(":");
    for (let round = 0; round < times; round++) {
      progress(`round ${round + 1} of ${times}`);
      // A gate that remembers nobody.
      const gate = await startGate({
        configuration: {
          listen: { address: "127.0.0.1:0" },
          upstream: { url: registry.url },
          auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
        },
        files: { htpasswd: ["first", "second", patient, ...names].map((name) => `${name}:${hash}\n`).join("") },
        program: builtGate,
        onLine: () => {},
      });
      await giveAllCores(gate.pid);
      try {
        await measure(gate, samples);
      } finally {
        await gate.close();
      }
    }
  } finally {
    await registry.close();
  }
  const delay = samples.meanwhile.map((value, index) => value - (samples.before[index] ?? Number.NaN));
  return {
    id: "cold-logins",
    title: `Logins with bcrypt 10 that nobody remembers, ${clients} at once`,
    columns: [
      { id: "processor", label: "CPU ms", digits: 0, better: "less" },
      { id: "p50", label: "p50 ms of a remembered request", digits: 2, better: "less" },
    ],
    rows: [
      { name: "one login", samples: { processor: samples.one } },
      { name: `one login by ${clients} clients`, own: true, samples: { processor: samples.together } },
      { name: "before any", samples: { p50: samples.before } },
      { name: `${clients} different logins`, own: true, samples: { p50: samples.meanwhile } },
    ],
    limits: [
      atMost(
        2,
        `verifications of one login by ${clients} clients`,
        samples.together.map((value, index) => value / (samples.one[index] ?? Number.NaN)),
      ),
      atMost(5, "delay of a remembered request, ms", delay),
    ],
  };
}

async function measure(
  gate: RunningGate,
  samples: Record<"one" | "together" | "before" | "meanwhile", number[]>,
): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const get = (user: string): Promise<number> => timeOf(`${gate.url}${path}`, user, agent);
  const processorOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = await processorSecondsOfTree(gate.pid);
    await work();
    return ((await processorSecondsOfTree(gate.pid)) - before) * 1000;
  };
  try {
    // The code is warm, and the connections are open.
    await get(patient);
    for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: clients }, () => get(patient)));
    samples.one.push(await processorOf(() => get("first")));
    const remembered = await processorOf(() => Promise.all(Array.from({ length: clients }, () => get(patient))));
    const together = await processorOf(() => Promise.all(Array.from({ length: clients }, () => get("second"))));
    // The requests themselves are no verification.
    samples.together.push(together - remembered);
    const before: number[] = [];
    for (let done = 0; done < 100; done++) before.push(await get(patient));
    samples.before.push(median(before));
    let waiting = true;
    const logins = Promise.all(names.map(get)).finally(() => {
      waiting = false;
    });
    const meanwhile: number[] = [];
    while (waiting) meanwhile.push(await get(patient));
    await logins;
    samples.meanwhile.push(median(meanwhile));
  } finally {
    agent.destroy();
  }
}

/** How many milliseconds it took until the response was there as a whole. */
function timeOf(url: string, user: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const sent = request(url, { agent, headers: basic(user, password) }, (response) => {
      response.resume().once("end", () => {
        if (response.statusCode === 200) resolve(performance.now() - start);
        else reject(new Error(`${user} got ${response.statusCode}`));
      });
    });
    sent.once("error", reject).end();
  });
}

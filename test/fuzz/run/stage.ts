import { setTimeout as delay } from "node:timers/promises";
import { basic } from "../../support/basic.ts";
import type { CertificateFiles } from "../../support/certificate.ts";
import type { FuzzCase } from "../case/fuzz-case.ts";
import { caseNumberIn } from "../case/marker.ts";
import { agentOf, type OrdinaryClient, ordinaryClient, send } from "../client/ordinary-client.ts";
import { runConnection } from "../client/run-connection.ts";
import { type FuzzedGate, freshPassword, freshUser, startFuzzedGate, tlsOf } from "../gate/fuzzed-gate.ts";
import { ordinaryResponse } from "../grammar/response.ts";
import { judgeOrdinary } from "../judge/judge-ordinary.ts";
import { judgeTranscript } from "../judge/judge-transcript.ts";
import { type UpstreamJudge, upstreamJudge } from "../judge/judge-upstream.ts";
import type { Violation } from "../judge/violation.ts";
import { type FuzzRegistry, startFuzzRegistry } from "../registry/fuzz-registry.ts";
import { type PlannedCase, plan } from "./plan.ts";

/** A gate between clients and a registry, on which cases are run. */
export interface Stage {
  /** Runs cases, some at the same time, while ordinary clients go on; then looks whether everything is as before. */
  run(cases: readonly FuzzCase[]): Promise<StageResult>;
  /** Whether the gate can serve on after what was found. */
  usable(): boolean;
  /** Compares the gate's memory with that at the first call, in MiB. */
  memoryGrowth(): Promise<number>;
  readonly judge: Pick<UpstreamJudge, "done">;
  /** How many requests of ordinary clients were judged. */
  ordinaryServed(): number;
  registryConnections(): { readonly now: number; readonly most: number };
  lastLines(): readonly string[];
  close(): Promise<void>;
}

export interface StageResult {
  readonly violations: readonly CaseViolation[];
}

/** A violation, and which of the cases may have brought it about: indices, the likeliest first. */
export interface CaseViolation extends Violation {
  readonly suspects: readonly number[];
}

export interface StageSettings {
  /** TLS on both sides. Plain HTTP by default. */
  readonly certificate?: CertificateFiles | undefined;
}

/** Cases that run at the same time. */
const parallel = 32;
/** How long the gate may take to let go of what it held, in milliseconds. */
const timeLimit = 15_000;
/** Descriptors that come and go by themselves. */
const slack = 3;
/** Between two requests of an ordinary client, in milliseconds. */
const pause = 5;
const ordinaryAddress = (index: number): string => `127.1.0.${index + 1}`;

let cases = 0;
let logins = 0;

export async function startStage({ certificate }: StageSettings = {}): Promise<Stage> {
  const judge = upstreamJudge();
  const registry: FuzzRegistry = await startFuzzRegistry({
    ...(certificate !== undefined && { tls: await tlsOf(certificate) }),
    responseTo: (marker) => (marker === undefined ? undefined : judge.planned(marker)?.response) ?? ordinaryResponse,
    observer: judge,
  });
  let gate: FuzzedGate;
  try {
    gate = await startFuzzedGate(registry.url, certificate);
  } catch (error) {
    await registry.close();
    throw error;
  }
  const clients = (["alice", "bobby"] as const).map((user, index) =>
    ordinaryClient(gate.url, user, ordinaryAddress(index)),
  );
  let served = 0;
  let known = 0;
  let retired: readonly PlannedCase[] = [];
  /** Whether it holds what it should have let go of, which would be found again after every further case. */
  let spent = false;
  let memoryBefore: number | undefined;

  // What is opened only once is open before anything is counted.
  for (const client of clients) await client.read();
  await loginFresh(gate.url);
  registry.disconnect();
  await delay(100);
  const descriptorsBefore = await gate.descriptors();

  const newFaults = (): Violation[] => {
    const all = gate.faults();
    const found = all.slice(known).map((text): Violation => ({ kind: "gate-fault", text, markers: [] }));
    known = all.length;
    return found;
  };

  /** Goes on until told to stop. */
  async function goOn(client: OrdinaryClient, over: AbortSignal, violations: Violation[]): Promise<void> {
    for (let turn = 0; !over.aborted; turn++) {
      const outcome = await (turn % 4 === 3 ? client.write() : client.read());
      if (gate.faults().length > known) return;
      served++;
      violations.push(...judgeOrdinary(outcome));
      await delay(pause);
    }
  }

  async function runCase({ connections }: PlannedCase): Promise<Violation[]> {
    const found = await Promise.all(
      connections.map(async (connection) => {
        const { spec, requests, address } = connection;
        await delay(spec.delay);
        const transcript = await runConnection(
          spec,
          requests.map(({ bytes }) => bytes),
          { url: gate.url, address },
        );
        if (gate.faults().length > known) return [];
        return judgeTranscript(connection, transcript);
      }),
    );
    return found.flat();
  }

  const counts = ({ unlessCrossed = [] }: Violation): boolean => !unlessCrossed.some(judge.hasCrossed);

  async function checkpoint(): Promise<Violation[]> {
    const violations: Violation[] = [];
    for (const client of clients) violations.push(...judgeOrdinary(await client.read()));
    const status = await loginFresh(gate.url).catch((error: Error) => error.message);
    if (status !== 200) violations.push({ kind: "not-served", text: `a fresh login: ${status}`, markers: [] });
    registry.disconnect();
    const held = await descriptorsHeld();
    if (held > 0) {
      spent = true;
      violations.push({ kind: "held", text: `${held} descriptors more than before`, markers: [] });
    }
    return violations;
  }

  async function descriptorsHeld(): Promise<number> {
    const deadline = performance.now() + timeLimit;
    for (;;) {
      const held = (await gate.descriptors()) - descriptorsBefore;
      if (held <= slack) return 0;
      if (performance.now() > deadline) return held;
      await delay(20);
    }
  }

  return {
    async run(all) {
      for (const old of retired) judge.forget(old);
      const planned = all.map((fuzzCase) => plan(fuzzCase, ++cases));
      retired = planned;
      for (const one of planned) judge.expect(one);
      const over = new AbortController();
      const violations: Violation[] = [];
      const running = new Set<number>();
      let atFault: readonly number[] = [];
      const ordinary = clients.map((client) => goOn(client, over.signal, violations));
      let next = 0;
      const worker = async (): Promise<void> => {
        while (next < planned.length && gate.faults().length === known) {
          const index = next++;
          const one = planned[index];
          if (one === undefined) return;
          running.add(index);
          violations.push(...(await runCase(one)));
          if (atFault.length === 0 && gate.faults().length > known) atFault = [...running].reverse();
          running.delete(index);
        }
      };
      await Promise.all(Array.from({ length: Math.min(parallel, planned.length) }, worker));
      over.abort();
      await Promise.all(ordinary);
      // What a process says at its end comes a little later, and what the registry saw of a crossing too.
      if (violations.length > 0 || gate.faults().length > known) await delay(200);
      if (gate.faults().length === known) violations.push(...(await checkpoint()));
      violations.push(...judge.take(), ...newFaults());
      const first = planned[0]?.number ?? 0;
      return {
        violations: violations.filter(counts).map((violation) => {
          const indices = violation.markers.map((marker) => (caseNumberIn(marker) ?? -1) - first);
          const known = [...new Set(indices)].filter((index) => index >= 0 && index < planned.length);
          return { ...violation, suspects: known.length === 0 ? atFault : known };
        }),
      };
    },
    usable: () => gate.faults().length === 0 && !spent,
    async memoryGrowth() {
      const now = await gate.memory();
      memoryBefore ??= now;
      return now - memoryBefore;
    },
    judge,
    ordinaryServed: () => served,
    registryConnections: registry.connections,
    lastLines: gate.lastLines,
    async close() {
      for (const client of clients) client.close();
      await gate.close();
      await registry.close();
    },
  };
}

/** Somebody whom the gate has not seen for long logs in, on a connection of his own. */
async function loginFresh(url: string): Promise<number> {
  const login = logins++;
  const address = `127.2.${(login >> 8) & 255}.${login & 255 || 1}`;
  const agent = agentOf(url, { keepAlive: false, localAddress: address });
  const headers = basic(freshUser(login), freshPassword);
  return (await send(new URL("/v2/", url), "GET", { agent, headers })).status;
}

import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import type { RunningGate } from "../support/gate.ts";
import { type Gates, gatesBefore } from "../support/gates-before.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { alice, ask, askUntil, servingWorkers, workersOf } from "./scene.ts";

/** What a gateway has once, in its primary: the audit, the admin listener, maintenance. */

let upstream: ScriptedUpstream;
let gates: Gates;
/** How many requests the upstream has responded to. */
let responses = 0;

beforeAll(async () => {
  upstream = await startUpstream((incoming, response) => {
    incoming.once("end", () => {
      responses++;
      const digest = `sha256:${"0".repeat(64)}`;
      response.writeHead(incoming.method === "PUT" ? 201 : 200, { "docker-content-digest": digest }).end("{}");
    });
    incoming.resume();
  });
  gates = gatesBefore(upstream.url, await passwordFile({ alice: "alice-password" }), { workers: 2 });
});

afterAll(() => upstream?.close());

/** Pushes a manifest on a connection of its own; the status, or why there was none. */
function push(gate: RunningGate, tag: string): Promise<number | string> {
  return new Promise((resolve) => {
    const headers = { ...alice, "content-type": "application/vnd.oci.image.manifest.v1+json", connection: "close" };
    const url = `${gate.url}/v2/team/app/manifests/${tag}`;
    const sent = request(url, { method: "PUT", headers, agent: false }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
      response.once("error", (error) => resolve(error.message));
    });
    sent.once("error", (error) => resolve(error.message));
    sent.end('{"schemaVersion":2}');
  });
}

async function reachBoth(gate: RunningGate): Promise<void> {
  const before = gate.lines().length;
  await askUntil(`${gate.url}/v2/`, () => servingWorkers(gate.lines().slice(before)).size === 2);
}

test("the audit has every accepted push once, although workers are killed meanwhile", async () => {
  const gate = await gates.start({ audit: { output: { file: "audit.jsonl" } } });
  const accepted = new Set<string>();
  let number = 0;
  for (let round = 0; round < 2; round++) {
    const [victim = 0] = await workersOf(gate);
    const pushes = Array.from({ length: 40 }, async () => {
      const tag = `t${number++}`;
      if ((await push(gate, tag)) === 201) accepted.add(tag);
    });
    await Promise.race(pushes);
    process.kill(victim, "SIGKILL");
    await Promise.all(pushes);
    await gate.logged(({ event, pid }) => event === "worker ended" && pid === victim);
    await expect.poll(() => gate.lines().filter(({ event }) => event === "worker started").length).toBe(3 + round);
  }
  expect(accepted.size).toBeGreaterThan(0);
  gate.kill("SIGTERM");
  expect(await gate.ended).toBe(0);
  const text = await readFile(join(gate.directory, "audit.jsonl"), "utf8");
  const events: Record<string, unknown>[] = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
  const tags = events.filter(({ event, outcome }) => event === "push" && outcome === "completed").map(({ tag }) => tag);
  expect(new Set(tags).size).toBe(tags.length);
  expect(tags).toEqual(expect.arrayContaining([...accepted]));
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
}, 240_000);

test("a push that the audit has not when the primary is killed is not accepted, whatever onFailure says", async () => {
  const gate = await gates.start({ audit: { output: { file: "audit.jsonl" }, onFailure: "continue" } });
  await reachBoth(gate);
  gate.kill("SIGSTOP");
  const before = responses;
  const pushes = Array.from({ length: 8 }, (_, index) => push(gate, `late${index}`));
  await expect.poll(() => responses - before).toBe(8);
  gate.kill("SIGKILL");
  expect(new Set(await Promise.all(pushes))).toEqual(new Set([503]));
});

test("every worker refuses writes while the audit cannot be written, and reads go on", async () => {
  const output = { syslog: { address: "unix:nobody-listens-here" } };
  const gate = await gates.start({ audit: { output, onFailure: "block" } });
  const statuses = await Promise.all(Array.from({ length: 24 }, (_, index) => push(gate, `b${index}`)));
  expect([...new Set(statuses)]).toEqual([503]);
  await reachBoth(gate);
});

test("every worker admits writes again when a reload replaces an audit that cannot be written", async () => {
  const output = { syslog: { address: "unix:nobody-listens-here" } };
  const gate = await gates.start({ audit: { output, onFailure: "block" } });
  expect(await push(gate, "before")).toBe(503);
  await gate.logged(({ event }) => event === "audit failure");
  await gate.configure(gates.configuration({ audit: { output: { file: "audit.jsonl" }, onFailure: "block" } }));
  await gate.logged(({ event }) => event === "reloaded");
  const statuses = async (): Promise<unknown> => {
    const found = await Promise.all(Array.from({ length: 24 }, (_, index) => push(gate, `a${index}`)));
    return [...new Set(found)];
  };
  await expect.poll(statuses, { timeout: 30_000 }).toEqual([201]);
}, 60_000);

test("metrics of all workers are added up, and do not fall when one is replaced", async () => {
  const port = await freePort();
  const gate = await gates.start({ admin: { address: `127.0.0.1:${port}` } });
  await gate.logged(({ event }) => event === "admin listening");
  await reachBoth(gate);
  const shown = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const total = async (): Promise<number> => {
    const text = await shown();
    const values = [...text.matchAll(/^registry_gate_requests_total\{[^}]*operation="ping"[^}]*\} (\d+)/gm)];
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  };
  const requests = (): number => gate.lines().filter(({ event }) => event === "request").length;
  await expect.poll(async () => (await total()) - requests()).toBe(0);
  const before = await total();
  const [victim = 0] = await workersOf(gate);
  process.kill(victim, "SIGKILL");
  await gate.logged(({ event, pid }) => event === "worker ended" && pid === victim);
  expect(await total()).toBeGreaterThanOrEqual(before);
  await expect.poll(shown).toMatch(/^registry_gate_worker_restarts_total 1$/m);
  await expect.poll(() => gate.lines().filter(({ event }) => event === "worker started").length).toBe(3);
  await reachBoth(gate);
  await expect.poll(async () => (await total()) - requests()).toBe(0);
});

test("readiness is that of all workers, and says how many respond", async () => {
  const port = await freePort();
  const gate = await gates.start({ admin: { address: `127.0.0.1:${port}`, drainDelay: "1s" } });
  const ready = async (): Promise<{ status: number; parts: readonly Record<string, unknown>[] }> => {
    const response = await fetch(`http://127.0.0.1:${port}/readyz?verbose`);
    const { parts } = Object(await response.json());
    return { status: response.status, parts };
  };
  await expect.poll(async () => (await ready()).status).toBe(200);
  expect((await ready()).parts).toContainEqual(expect.objectContaining({ part: "workers", status: "ok" }));
  expect((await ready()).parts).toContainEqual(expect.objectContaining({ part: "backend:htpasswd", status: "ok" }));
  const [victim = 0] = await workersOf(gate);
  process.kill(victim, "SIGSTOP");
  await expect
    .poll(async () => (await ready()).parts)
    .toContainEqual(expect.objectContaining({ part: "workers", status: "warning", reason: "1 of 2 respond" }));
  expect((await ready()).status).toBe(200);
  process.kill(victim, "SIGCONT");
  gate.kill("SIGTERM");
  await expect.poll(async () => (await ready()).status).toBe(503);
  expect(await gate.ended).toBe(0);
});

test("a signal makes every worker read-only, those that start later too, until the next one", async () => {
  const port = await freePort();
  const gate = await gates.start({
    admin: { address: `127.0.0.1:${port}` },
    audit: { output: { file: "audit.jsonl" } },
  });
  const shown = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  const statuses = async (): Promise<unknown> => {
    const found = await Promise.all(Array.from({ length: 24 }, (_, index) => push(gate, `r${index}`)));
    return [...new Set(found)];
  };
  expect(await statuses()).toEqual([201]);
  gate.kill("SIGUSR2");
  await gate.logged(({ event }) => event === "no writes in flight");
  await expect.poll(statuses).toEqual([503]);
  expect(await shown("/readyz")).toBe("ready; writes are refused: maintenance (read-only)\n");
  const metrics = await shown("/metrics");
  expect(metrics).toMatch(/^registry_gate_read_only 1$/m);
  expect(metrics).toMatch(/^registry_gate_writes_in_flight 0$/m);
  // Allowed ones that have reached the registry, each once, wherever they were handled.
  expect(metrics).toMatch(/^registry_gate_audit_events_total\{outcome="written"\} [1-9]/m);
  expect((await ask(`${gate.url}/v2/`)).status).toBe(200);
  const [victim = 0] = await workersOf(gate);
  process.kill(victim, "SIGKILL");
  await expect.poll(() => gate.lines().filter(({ event }) => event === "worker started").length).toBe(3);
  expect(await statuses()).toEqual([503]);
  gate.kill("SIGUSR2");
  await expect.poll(statuses).toEqual([201]);
});

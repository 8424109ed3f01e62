import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { freePort } from "../support/free-port.ts";
import type { RunningGate } from "../support/gate.ts";
import { type Gates, gatesBefore } from "../support/gates-before.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { alice, ask, askUntil, isRunning, servingWorkers, workersOf } from "./scene.ts";

/** A gate whose configuration says `workers`. Two cores are shared by many tests: nothing here is judged by the clock. */

let upstream: ScriptedUpstream;
let htpasswd: string;
let gates: Gates;
/** How many uploads the registry has seen begin. */
let uploads = 0;

beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    if (request.method === "PATCH") uploads++;
    // Some of them are cut.
    request.once("error", () => {});
    request.once("end", () => void response.end("{}"));
    request.resume();
  });
  htpasswd = await passwordFile({ alice: "alice-password" });
  gates = gatesBefore(upstream.url, htpasswd, {
    listen: { address: "127.0.0.1:0", healthPath: "/before" },
    workers: 2,
  });
});

afterAll(() => upstream?.close());

const both = new Set([1, 2]);

/** Until both workers have handled requests that came later than now. */
async function reachBoth(gate: RunningGate, path = "/v2/team/app/tags/list"): Promise<ReadonlySet<number>> {
  const before = gate.lines().length;
  const enough = (): boolean => servingWorkers(gate.lines().slice(before)).size === 2;
  return askUntil(`${gate.url}${path}`, enough);
}

function count(gate: RunningGate, event: string): number {
  return gate.lines().filter((line) => line.event === event).length;
}

test("children of the started process handle the requests, and their lines name the worker", async () => {
  const gate = await gates.start();
  expect(await workersOf(gate)).toHaveLength(2);
  expect(await reachBoth(gate)).toEqual(new Set([200]));
  expect(servingWorkers(gate.lines())).toEqual(both);
  expect(gate.lines().filter(({ event }) => event === "listening")).toMatchObject([{ address: gate.address }]);
  expect(gate.besideLog()).toBe("");
});

test("one worker is one process", async () => {
  const gate = await gates.start({ workers: 1 });
  expect(await workersOf(gate)).toEqual([]);
  await ask(`${gate.url}/v2/`);
  const line = await gate.logged(({ event }) => event === "request");
  expect(line).not.toHaveProperty("worker");
});

test("workers have the options of Node that the gate was started with, and optimize without threads", async () => {
  const gate = await gates.start({}, { nodeOptions: ["--max-old-space-size=700"] });
  const [first = 0] = await workersOf(gate);
  const words = (await readFile(`/proc/${first}/cmdline`, "utf8")).split("\0");
  expect(words).toEqual(expect.arrayContaining(["--max-old-space-size=700", "--no-concurrent-recompilation"]));
});

test("counts failed logins of all workers together, without a state", async () => {
  const throttle = { perUserAndAddress: "3/1h", backoff: "1h..1h" };
  const auth = { backends: [{ type: "htpasswd", file: "htpasswd" }], cache: false, throttle };
  const gate = await gates.start({ auth });
  await reachBoth(gate);
  const wrong = basic("alice", "wrong");
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 12; attempt++) statuses.push((await ask(`${gate.url}/v2/`, wrong)).status);
  expect(statuses).toEqual([401, 401, 401, ...Array.from({ length: 9 }, () => 429)]);
});

test("a token that one worker has issued is good at the other, without a file of keys", async () => {
  const backends = [{ type: "htpasswd", file: "htpasswd" }];
  const gate = await gates.start({ auth: { backends, challenge: "bearer" } });
  const issued: unknown = JSON.parse(
    (await ask(`${gate.url}/v2/auth?service=${gate.address}&scope=repository:a/b:pull`)).body,
  );
  const headers = { authorization: `Bearer ${Reflect.get(Object(issued), "token")}` };
  const before = gate.lines().length;
  const enough = (): boolean => servingWorkers(gate.lines().slice(before)).size === 2;
  for (let round = 0; round < 200 && !enough(); round++) {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(`${gate.url}/v2/a/b/tags/list`, headers)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  }
  expect(enough()).toBe(true);
});

test("a reload is decided once and holds in all workers; one that a worker cannot use changes none", async () => {
  const gate = await gates.start();
  const status = async (path: string): Promise<unknown> => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(`${gate.url}${path}`)));
    return [...new Set(answers.map(({ status }) => status))];
  };
  const listen = { address: "127.0.0.1:0", healthPath: "/after" };
  await gate.configure(gates.configuration({ listen }));
  await gate.logged(({ event }) => event === "reloaded");
  expect([await status("/after"), await status("/before")]).toEqual([[200], [404]]);
  await gate.configure(gates.configuration({ auth: { backends: [{ type: "htpasswd", file: "nobody" }] } }));
  const refusal = await gate.logged(({ event }) => event === "reload refused");
  expect(JSON.stringify(refusal)).toContain("auth.backends[0].file: no such file");
  expect([await status("/after"), await status("/before")]).toEqual([[200], [404]]);
  expect([count(gate, "reloaded"), count(gate, "reload refused")]).toEqual([1, 1]);
});

test("an address that is in use is refused in all workers, and a free one is taken in all", async () => {
  const gate = await gates.start();
  const taken = new URL(upstream.url).port;
  await gate.configure(gates.configuration({ listen: { address: `127.0.0.1:${taken}` } }));
  const refusal = await gate.logged(({ event }) => event === "reload refused");
  expect(JSON.stringify(refusal)).toContain(`listen.address: 127.0.0.1:${taken} is in use`);
  expect(await reachBoth(gate)).toEqual(new Set([200]));
  const port = await freePort();
  await gate.configure(gates.configuration({ listen: { address: `127.0.0.1:${port}` } }));
  await gate.logged(({ event, address }) => event === "listening" && address === `127.0.0.1:${port}`);
  expect((await ask(`http://127.0.0.1:${port}/v2/`)).status).toBe(200);
  await expect(ask(`${gate.url}/v2/`)).rejects.toThrow("ECONNREFUSED");
});

test("the number of workers grows and shrinks by a reload, but not to one", async () => {
  const gate = await gates.start();
  await gate.configure(gates.configuration({ workers: 3 }));
  await gate.logged(({ event, worker }) => event === "worker started" && worker === 3);
  expect(await workersOf(gate)).toHaveLength(3);
  await gate.configure(gates.configuration({ workers: 2 }));
  await gate.logged(({ event, worker }) => event === "worker ended" && worker === 3);
  await expect.poll(() => workersOf(gate)).toHaveLength(2);
  await gate.configure(gates.configuration({ workers: 1 }));
  const refusal = await gate.logged(({ event }) => event === "reload refused");
  expect(JSON.stringify(refusal)).toContain("workers: the gate runs as several processes");
  expect(await reachBoth(gate)).toEqual(new Set([200]));
});

test("one process does not become several by a reload", async () => {
  const gate = await gates.start({ workers: 1 });
  await gate.configure(gates.configuration({ workers: 2 }));
  const refusal = await gate.logged(({ event }) => event === "reload refused");
  expect(JSON.stringify(refusal)).toContain("workers: the gate runs as one process");
  expect((await ask(`${gate.url}/v2/`)).status).toBe(200);
});

test("a killed worker is replaced, and the new one begins with what is in force, not with what is in the file", async () => {
  const gate = await gates.start();
  await gate.put("registry-gate.yaml", "listen: { address: [half an edit");
  await gate.logged(({ event }) => event === "reload refused");
  const [victim = 0, survivor] = await workersOf(gate);
  process.kill(victim, "SIGKILL");
  const line = await gate.logged(({ event }) => event === "worker ended");
  expect(line).toMatchObject({ level: "error", pid: victim, signal: "SIGKILL", worker: expect.any(Number) });
  await gate.logged(({ event, worker, pid }) => event === "worker started" && worker === line.worker && pid !== victim);
  const now = await workersOf(gate);
  expect(now).toHaveLength(2);
  expect(now).toContain(survivor);
  expect(await reachBoth(gate)).toEqual(new Set([200]));
});

test("a worker that ends again and again is started again after pauses that grow", async () => {
  const gate = await gates.start();
  for (let round = 0; round < 4; round++) {
    const [victim = 0] = (await workersOf(gate)).slice(-1);
    process.kill(victim, "SIGKILL");
    await gate.logged(({ event, pid }) => event === "worker ended" && pid === victim);
    await expect.poll(() => workersOf(gate)).toHaveLength(2);
  }
  const pauses = gate.lines().flatMap(({ event, pause }) => (event === "worker ended" ? [Number(pause)] : []));
  expect(pauses.toSorted((one, other) => one - other)).toEqual(pauses);
  expect(pauses[0]).toBe(0);
  expect(pauses.at(-1)).toBeGreaterThan(pauses[1] ?? 0);
});

test("a configuration that can be used ends a time in which no worker can start", async () => {
  const gate = await gates.start();
  await rm(join(gate.directory, "htpasswd"));
  for (const pid of await workersOf(gate)) process.kill(pid, "SIGKILL");
  for (const number of [1, 2]) {
    await gate.logged(({ event, worker, faults }) => {
      return event === "worker failed" && worker === number && String(faults).includes("no such file");
    });
  }
  const before = gate.lines().length;
  await gate.put("other", htpasswd);
  const address = `127.0.0.1:${await freePort()}`;
  const auth = { backends: [{ type: "htpasswd", file: "other" }] };
  await gate.configure(gates.configuration({ auth, listen: { address } }));
  await gate.logged(({ event }) => event === "reloaded");
  const later = (): readonly unknown[] =>
    gate
      .lines()
      .slice(before)
      .map(({ event }) => event);
  await expect.poll(() => later().filter((event) => event === "worker started")).toHaveLength(2);
  expect(later()).not.toContain("reload refused");
  expect((await ask(`http://${address}/v2/`)).status).toBe(200);
});

test("a worker whose place was given up follows no further reload", async () => {
  const listen = (port: number): object => ({ address: `127.0.0.1:${port}` });
  const gate = await gates.start({ workers: 3, listen: listen(await freePort()) });
  // Of so many, one is at the third worker.
  const finishes = await Promise.all(Array.from({ length: 16 }, () => beginUpload(gate)));
  await gate.configure(gates.configuration({ listen: { address: gate.address } }));
  await gate.logged(({ event, worker }) => event === "stopping" && worker === 3);
  const port = await freePort();
  await gate.configure(gates.configuration({ listen: listen(port) }));
  await gate.logged(({ event, address }) => event === "listening" && address === `127.0.0.1:${port}`);
  const before = gate.lines().length;
  const url = `http://127.0.0.1:${port}/v2/`;
  await Promise.all(Array.from({ length: 200 }, () => ask(url)));
  await expect
    .poll(
      () =>
        gate
          .lines()
          .slice(before)
          .filter(({ event }) => event === "request").length,
    )
    .toBe(200);
  expect(servingWorkers(gate.lines().slice(before))).not.toContain(3);
  for (const finish of finishes) expect(await finish()).toBe(200);
  await gate.logged(({ event, worker }) => event === "worker ended" && worker === 3);
});

const upload = "/v2/team/app/blobs/uploads/0f0c5ff3-2f2f-4f2f-9f2f-0f0c5ff32f2f";

/** An upload that has begun, and its end. */
async function beginUpload(gate: RunningGate): Promise<() => Promise<number>> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const headers = { ...alice, "content-type": "application/octet-stream" };
  const init: RequestInit & { duplex: "half" } = { method: "PATCH", headers, body: readable, duplex: "half" };
  const before = uploads;
  const answered = fetch(gate.url + upload, init);
  answered.catch(() => {});
  void writer.write(new TextEncoder().encode("before, "));
  await expect.poll(() => uploads).toBeGreaterThan(before);
  return async () => {
    void writer.write(new TextEncoder().encode("after"));
    void writer.close();
    return (await answered).status;
  };
}

test.each(["SIGTERM", "SIGINT"] as const)("%s for every process lets an upload finish, and ends all", async (name) => {
  const gate = await gates.start();
  const finish = await beginUpload(gate);
  const workers = await workersOf(gate);
  // As a service manager and a terminal send it: to everybody, in any order.
  for (const pid of [...workers, gate.pid]) process.kill(pid, name);
  await gate.logged(({ event, worker }) => event === "stopping" && worker === undefined);
  await expect.poll(() => ask(gate.url).catch(() => "refused")).toBe("refused");
  expect(gate.exit()).toBeUndefined();
  expect(await finish()).toBe(200);
  expect(await gate.ended).toBe(0);
  expect(await Promise.all(workers.map(isRunning))).toEqual([false, false]);
  expect(count(gate, "request")).toBeGreaterThan(0);
});

test("a second signal ends all processes at once", async () => {
  const gate = await gates.start();
  const finish = await beginUpload(gate);
  const workers = await workersOf(gate);
  gate.kill("SIGTERM");
  await gate.logged(({ event }) => event === "stopping");
  gate.kill("SIGTERM");
  expect(await gate.ended).toBe(1);
  await expect.poll(() => Promise.all(workers.map(isRunning))).toEqual([false, false]);
  await expect(finish()).rejects.toThrow();
});

test("an upload is cut within listen.drainTimeout, in every worker", async () => {
  const gate = await gates.start({ listen: { address: "127.0.0.1:0", drainTimeout: "2s" } });
  const finish = await beginUpload(gate);
  gate.kill("SIGTERM");
  expect(await gate.ended).toBe(0);
  expect(count(gate, "cut")).toBeGreaterThan(0);
  await expect(finish()).rejects.toThrow();
});

test("when the primary is killed, the workers finish what has begun and end", async () => {
  const gate = await gates.start();
  const finish = await beginUpload(gate);
  const workers = await workersOf(gate);
  gate.kill("SIGKILL");
  await expect.poll(() => ask(gate.url).catch(() => "refused")).toBe("refused");
  await delay(200);
  expect(await finish()).toBe(200);
  await expect.poll(() => Promise.all(workers.map(isRunning))).toEqual([false, false]);
});

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect as connectSecurely } from "node:tls";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../support/certificate.ts";
import type { RunningGate } from "../support/gate.ts";
import { type Gates, gatesBefore } from "../support/gates-before.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { alice, workersOf } from "./scene.ts";

/** Many connections that come at one moment. */

let upstream: ScriptedUpstream;
let gates: Gates;

beforeAll(async () => {
  upstream = await startUpstream((_, response) => void response.end("{}"));
  gates = gatesBefore(upstream.url, await passwordFile({ alice: "alice-password" }), { workers: 2 });
});

afterAll(() => upstream?.close());

const size = 64;
const request = [
  "GET /v2/ HTTP/1.1",
  "Host: registry.example.com",
  `Authorization: ${alice.authorization}`,
  "Connection: close",
  "\r\n",
].join("\r\n");

/** Sends a request on a connection of its own. @returns the status, or what became of the connection. */
async function statusOn(open: () => Socket): Promise<string> {
  const socket = open();
  socket.write(request);
  const response = await text(socket).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
  return response.split(" ", 2)[1] ?? response;
}

/** As many connections as make a burst. @returns what became of each. */
function burst(open: () => Socket): Promise<string[]> {
  return Promise.all(Array.from({ length: size }, () => statusOn(open)));
}

function onPort({ url }: RunningGate): () => Socket {
  const { hostname, port } = new URL(url);
  return () => connect(Number(port), hostname);
}

async function certificateFiles(): Promise<object> {
  const { certificate, key } = await makeCertificate();
  return { certificate, key };
}

/** How many requests each worker has handled. */
function shares(gate: RunningGate): number[] {
  const requests = gate.lines().filter(({ event }) => event === "request");
  return [1, 2].map((number) => requests.filter(({ worker }) => worker === number).length);
}

const served = new Set(["200"]);

test("bursts are shared by all workers, on a port and on a Unix socket", async () => {
  const directory = await mkdtemp(join(tmpdir(), "rg-b-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, "s");
  const onSocket = { address: `unix:${path}`, socketMode: "0600", trustedProxies: ["unix:"] };
  for (const listen of [{ address: "127.0.0.1:0" }, onSocket]) {
    const gate = await gates.start({ listen });
    const open = "socketMode" in listen ? () => connect(path) : onPort(gate);
    for (let round = 0; round < 20; round++) expect(new Set(await burst(open))).toEqual(served);
    await expect.poll(() => shares(gate).reduce((sum, share) => sum + share)).toBe(20 * size);
    expect(Math.min(...shares(gate))).toBeGreaterThan((20 * size) / 5);
  }
});

/** Has each process of a gate say in the log where it stands still. */
const sayPauses = `--import=data:text/javascript,${encodeURIComponent(`
  import { writeSync } from "node:fs";
  const { wait } = Atomics;
  Atomics.wait = (...parameters) => {
    writeSync(1, '{"event":"paused"}\\n');
    return wait(...parameters);
  };
`)}`;

test.each([
  { title: "workers of one socket leave connections of a burst to each other", pauses: true, changes: {} },
  { title: "workers of one socket for TLS do so, too", pauses: true, changes: {}, secure: true },
  {
    title: "workers that have a socket each leave none",
    pauses: false,
    changes: { listen: { address: "127.0.0.1:0", shared: true } },
  },
  { title: "a gate of one process leaves none", pauses: false, changes: { workers: 1 } },
])("$title", async ({ pauses, changes, secure }) => {
  const tls = secure === true ? { listen: { address: "127.0.0.1:0", tls: await certificateFiles() } } : {};
  const gate = await gates.start({ ...changes, ...tls }, { nodeOptions: [sayPauses] });
  const port = Number(new URL(gate.url).port);
  const open = (): Socket =>
    secure === true
      ? connectSecurely({ port, host: "127.0.0.1", rejectUnauthorized: false })
      : connect(port, "127.0.0.1");
  for (let round = 0; round < 5; round++) expect(new Set(await burst(open))).toEqual(served);
  const events = (): unknown[] => gate.lines().map(({ event }) => event);
  await expect.poll(() => events().filter((event) => event === "request").length).toBe(5 * size);
  expect(events().includes("paused")).toBe(pauses);
});

test("a burst is served whole by one worker where the other one stands still", async () => {
  const gate = await gates.start();
  const [victim = 0] = await workersOf(gate);
  process.kill(victim, "SIGSTOP");
  onTestFinished(() => void process.kill(victim, "SIGCONT"));
  for (let round = 0; round < 5; round++) expect(new Set(await burst(onPort(gate)))).toEqual(served);
  expect(shares(gate)).toContain(0);
});

test("connections that wait are served by the other worker where one is killed", async () => {
  const gate = await gates.start();
  const pids = await workersOf(gate);
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  const sockets = await Promise.all(
    Array.from({ length: size }, async () => {
      const socket = onPort(gate)();
      await once(socket, "connect");
      return socket;
    }),
  );
  // They have connected, and wait for a worker.
  const [victim = 0, other = 0] = pids;
  process.kill(victim, "SIGKILL");
  process.kill(other, "SIGCONT");
  const outcomes = await Promise.all(sockets.map((socket) => statusOn(() => socket)));
  expect(new Set(outcomes)).toEqual(served);
});

test("no connection of a burst is lost while the listener is replaced by reloads", async () => {
  const directory = await mkdtemp(join(tmpdir(), "rg-b-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, "s");
  const listen = (socketMode: string): object => ({
    listen: { address: `unix:${path}`, socketMode, trustedProxies: ["unix:"] },
  });
  const gate = await gates.start(listen("0600"));
  let over = false;
  const outcomes: string[] = [];
  const bursts = (async () => {
    while (!over) outcomes.push(...(await burst(() => connect(path))));
  })();
  for (let round = 1; round <= 6; round++) {
    await gate.configure(gates.configuration(listen(round % 2 === 0 ? "0600" : "0640")));
    await expect.poll(() => gate.lines().filter(({ event }) => event === "reloaded").length).toBe(round);
  }
  over = true;
  await bursts;
  expect(new Set(outcomes)).toEqual(served);
});

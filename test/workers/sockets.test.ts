import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { startable } from "../programs/startable.ts";
import { makeCertificate, makeClientCertificate } from "../support/certificate.ts";
import { freePort } from "../support/free-port.ts";
import { gateCommand, type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { alice, ask, isRunning, servingWorkers, workersOf } from "./scene.ts";

/** Every kind of socket with several workers. */

let upstream: ScriptedUpstream;
let htpasswd: string;
let directory: string;

beforeAll(async () => {
  upstream = await startUpstream((_, response) => void response.end("{}"));
  htpasswd = await passwordFile({ alice: "alice-password" });
});

afterAll(() => upstream?.close());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rg-w-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function configuration(listen: object): object {
  return {
    listen: { trustedProxies: ["unix:"], ...listen },
    upstream: { url: upstream.url },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    workers: 2,
  };
}

async function started(listen: object): Promise<RunningGate> {
  const gate = await startGate({ configuration: configuration(listen), files: { htpasswd } });
  onTestFinished(() => gate.close());
  return gate;
}

function statusOn(socketPath: string): Promise<number | string> {
  return new Promise((resolve) => {
    const headers = { ...alice, host: "registry.example.com", connection: "close" };
    const sent = request({ socketPath, path: "/v2/", headers, agent: false }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
    });
    sent.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end();
  });
}

async function untilBoth(gate: RunningGate, path: string): Promise<void> {
  const before = gate.lines().length;
  const enough = (): boolean => servingWorkers(gate.lines().slice(before)).size === 2;
  for (let round = 0; round < 200 && !enough(); round++) {
    const statuses = await Promise.all(Array.from({ length: 8 }, () => statusOn(path)));
    expect(new Set(statuses)).toEqual(new Set([200]));
  }
  expect(enough()).toBe(true);
}

test("a Unix socket has its mode, is listened on by all workers, and survives each of them", async () => {
  const path = join(directory, "s");
  const gate = await started({ address: `unix:${path}`, socketMode: "0640" });
  expect((await stat(path)).mode & 0o777).toBe(0o640);
  expect(await readdir(directory)).toEqual(["s"]);
  await untilBoth(gate, path);
  for (const victim of await workersOf(gate)) {
    process.kill(victim, "SIGKILL");
    const { worker } = await gate.logged(({ event, pid }) => event === "worker ended" && pid === victim);
    await gate.logged((line) => line.event === "worker started" && line.worker === worker && line.pid !== victim);
    expect(await statusOn(path)).toBe(200);
  }
  await untilBoth(gate, path);
});

test("a Unix socket is made anew where every worker has ended at once", async () => {
  const path = join(directory, "s");
  const gate = await started({ address: `unix:${path}`, socketMode: "0640" });
  for (const victim of await workersOf(gate)) process.kill(victim, "SIGKILL");
  await expect.poll(() => gate.lines().filter(({ event }) => event === "worker started").length).toBe(4);
  await untilBoth(gate, path);
  expect((await stat(path)).mode & 0o777).toBe(0o640);
});

test("a reload changes mode and path of a Unix socket, and one that is refused leaves it as it was", async () => {
  const [path, other] = [join(directory, "s"), join(directory, "t")];
  const gate = await started({ address: `unix:${path}`, socketMode: "0640" });
  await gate.configure(configuration({ address: `unix:${path}`, socketMode: "0600" }));
  await expect.poll(async () => (await stat(path)).mode & 0o777).toBe(0o600);
  await untilBoth(gate, path);
  await writeFile(other, "no socket");
  await gate.configure(configuration({ address: `unix:${other}` }));
  const refusal = await gate.logged(({ event }) => event === "reload refused");
  expect(JSON.stringify(refusal)).toContain(`listen.address: unix:${other} is in use`);
  await untilBoth(gate, path);
  expect(await readFile(other, "utf8")).toBe("no socket");
  await rm(other);
  await gate.configure(configuration({ address: `unix:${other}`, socketMode: "0600" }));
  await gate.logged(({ event, address }) => event === "listening" && address === `unix:${other}`);
  await untilBoth(gate, other);
  expect(await readdir(directory)).toEqual(["t"]);
  gate.kill("SIGTERM");
  expect(await gate.ended).toBe(0);
  expect(await readdir(directory)).toEqual([]);
});

/** The certificate that a connection of its own is shown, and whether its session could be resumed. */
function handshake(
  port: number,
  session?: Buffer,
  client: object = {},
): Promise<{ serial: string; resumed: boolean; ticket: Buffer }> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ port, host: "127.0.0.1", rejectUnauthorized: false, maxVersion: "TLSv1.2" },
      ...(session && { session }),
      ...client,
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      const { serialNumber: serial } = socket.getPeerCertificate();
      const ticket = socket.getSession() ?? Buffer.alloc(0);
      resolve({ serial, resumed: socket.isSessionReused(), ticket });
      socket.end();
    });
  });
}

test("a session of TLS is resumed at any worker, and a new certificate is shown by all of them", async () => {
  const files = await makeCertificate(directory);
  const tls = { certificate: files.certificate, key: files.key };
  const gate = await started({ address: "127.0.0.1:0", tls });
  const port = Number(new URL(gate.url).port);
  const first = await handshake(port);
  const again = await Promise.all(Array.from({ length: 16 }, () => handshake(port, first.ticket)));
  expect(again.map(({ resumed }) => resumed)).toEqual(again.map(() => true));
  const next = await makeCertificate();
  await writeFile(files.key, await readFile(next.key));
  await writeFile(files.certificate, await readFile(next.certificate));
  await gate.logged(({ event }) => event === "certificate reloaded");
  await expect
    .poll(async () => {
      const shown = await Promise.all(Array.from({ length: 16 }, () => handshake(port)));
      return new Set(shown.map(({ serial }) => serial)).size === 1 && shown[0]?.serial !== first.serial;
    })
    .toBe(true);
  // A worker that starts now is given the one that is in force, whatever stands in the files.
  await writeFile(files.certificate, "half a certifi");
  await gate.logged(({ event }) => event === "certificate refused");
  const [victim = 0] = await workersOf(gate);
  process.kill(victim, "SIGKILL");
  await expect.poll(() => gate.lines().filter(({ event }) => event === "worker started").length).toBe(3);
  const shown = await Promise.all(Array.from({ length: 16 }, () => handshake(port)));
  expect(new Set(shown.map(({ serial }) => serial)).size).toBe(1);
});

test("a worker that replaces another one resumes no session of authorities that are gone", async () => {
  const files = await makeCertificate(directory);
  const client = await makeClientCertificate(directory, "client");
  const tls = { certificate: files.certificate, key: files.key, clientCa: files.authority };
  const gate = await started({ address: "127.0.0.1:0", tls });
  const port = Number(new URL(gate.url).port);
  const certificate = { cert: await readFile(client.certificate), key: await readFile(client.key) };
  const { ticket } = await handshake(port, undefined, certificate);
  expect((await handshake(port, ticket)).resumed).toBe(true);
  const others = await makeCertificate();
  await writeFile(files.authority, await readFile(others.authority));
  await gate.logged(({ event }) => event === "certificate reloaded");
  const [victim = 0] = await workersOf(gate);
  process.kill(victim, "SIGKILL");
  await expect.poll(() => gate.lines().filter(({ event }) => event === "worker started").length).toBe(3);
  const again = await Promise.all(Array.from({ length: 100 }, () => handshake(port, ticket)));
  expect(new Set(again.map(({ resumed }) => resumed))).toEqual(new Set([false]));
});

test("TLS is not added by a reload to an address that stays, and no worker ends of it", async () => {
  const files = await makeCertificate(directory);
  const tls = { certificate: files.certificate, key: files.key };
  const address = `127.0.0.1:${await freePort()}`;
  const gate = await started({ address });
  const workers = await workersOf(gate);
  await gate.configure(configuration({ address, tls }));
  const refusal = await gate.logged(({ event }) => event === "reload refused");
  expect(JSON.stringify(refusal)).toContain(
    "listen.tls: cannot be added, removed or changed in clientAuth by a reload",
  );
  expect(await workersOf(gate)).toEqual(workers);
  expect((await ask(`${gate.url}/v2/`)).status).toBe(200);
  const other = `127.0.0.1:${await freePort()}`;
  await gate.configure(configuration({ address: other, tls }));
  await gate.logged(({ event, address: now }) => event === "listening" && now === other);
});

test("a socket that systemd has passed is listened on by all workers, over a restart and over their death", async () => {
  const port = await freePort();
  await writeFile(join(directory, "htpasswd"), htpasswd);
  await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration({ address: "systemd:" })));
  // As a service manager does, it starts another one as soon as one has ended.
  const loop = 'while :; do sh -c \'echo $$ > pid; LISTEN_PID=$$ exec "$@"\' sh "$@" >> log 2>&1; done';
  const [program, ...parameters] = gateCommand;
  const command = ["/bin/sh", "-c", loop, "sh", program, ...parameters, "serve", "--config", "gate.yaml"];
  const manager: ChildProcess = spawn(
    startable("systemd-socket-activate"),
    [`--listen=127.0.0.1:${port}`, ...command],
    { cwd: directory, stdio: "ignore" },
  );
  const pidOf = async (): Promise<number> => Number(await readFile(join(directory, "pid"), "utf8").catch(() => "0"));
  onTestFinished(async () => {
    const exited = once(manager, "exit");
    manager.kill("SIGKILL");
    await exited;
    const pid = await pidOf();
    if (pid > 0 && (await isRunning(pid))) process.kill(pid, "SIGKILL");
  });
  const status = (): Promise<number | string> =>
    ask(`http://127.0.0.1:${port}/v2/`).then(
      (response) => response.status,
      (error: Error) => error.message,
    );
  await expect.poll(status).toBe(200);
  const first = await pidOf();
  expect(await workersOf({ pid: first })).toHaveLength(2);
  const serving = async (): Promise<number> => {
    await status();
    const log = await readFile(join(directory, "log"), "utf8");
    return servingWorkers(
      log.split("\n").flatMap((line) => (line.startsWith("{") && line.endsWith("}") ? [JSON.parse(line)] : [])),
    ).size;
  };
  await expect.poll(serving).toBe(2);
  process.kill((await workersOf({ pid: first }))[0] ?? 0, "SIGKILL");
  expect(await status()).toBe(200);
  process.kill(first, "SIGTERM");
  await expect.poll(pidOf).not.toBe(first);
  await expect.poll(status).toBe(200);
  // The last worker takes the socket along: the service manager has to pass it anew.
  const second = await pidOf();
  for (const victim of await workersOf({ pid: second })) process.kill(victim, "SIGKILL");
  await expect.poll(pidOf).not.toBe(second);
  await expect.poll(status).toBe(200);
});

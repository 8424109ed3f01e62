import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { basic } from "../support/basic.ts";
import { freePort } from "../support/free-port.ts";
import type { RunningGate } from "../support/gate.ts";
import { type Gates, gatesBefore } from "../support/gates-before.ts";
import { passwordFile } from "../support/password-file.ts";
import { exchangeRaw } from "../support/raw-client.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

let upstream: ScriptedUpstream;
let gates: Gates;
beforeAll(async () => {
  upstream = await startUpstream((_, response) => {
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    response.end("{}");
  });
  gates = gatesBefore(upstream.url, await passwordFile({ alice: "canary-password" }), {
    admin: { address: "127.0.0.1:0", drainDelay: "0s" },
  });
});
afterAll(() => upstream.close());

const alice = { headers: basic("alice", "canary-password") };

/** Where the admin listener is, for the last time that the log tells. */
async function adminOf(gate: RunningGate): Promise<string> {
  await gate.logged(({ event }) => event === "admin listening");
  const line = gate.lines().findLast(({ event }) => event === "admin listening");
  return String(line?.address);
}

const statusOf = async (url: string, init?: RequestInit): Promise<number> => (await fetch(url, init)).status;

test("serves three paths, by GET and HEAD alone, and none of them on the listener of requests", async () => {
  const gate = await gates.start();
  const admin = `http://${await adminOf(gate)}`;
  for (const path of ["/livez", "/readyz", "/readyz?verbose", "/metrics", "/metrics?x=1"]) {
    expect(await statusOf(admin + path), path).toBe(200);
    const head = await fetch(admin + path, { method: "HEAD" });
    expect([head.status, await head.text(), Number(head.headers.get("content-length")) > 0]).toEqual([200, "", true]);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const refused = await fetch(admin + path, { method, ...(method === "POST" && { body: "x" }) });
      expect([refused.status, refused.headers.get("allow")], `${method} ${path}`).toEqual([405, "GET, HEAD"]);
    }
    expect(await statusOf(gate.url + path, alice), path).toBe(404);
  }
  for (const path of ["/", "/v2/", "/v2/_catalog", "/livez/", "/%6Civez", "/constructor", "/__proto__", "//livez"]) {
    expect(await statusOf(admin + path, alice), path).toBe(404);
  }
  const [absolute] = await exchangeRaw(admin, "GET http://x/livez HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(absolute?.status).toBe(404);
  expect(await statusOf(`${gate.url}/v2/`, alice)).toBe(200);
});

test("does not exist unless it is configured, and then of this machine alone if no more is said", async () => {
  const without = await gates.start({ admin: undefined });
  await without.settled();
  expect(without.lines().filter(({ event }) => event === "admin listening")).toEqual([]);
  const port = await freePort();
  const gate = await gates.start({ admin: { address: port, drainDelay: "0s" } });
  expect(await adminOf(gate)).toBe(`127.0.0.1:${port}`);
});

test("survives clients that send nonsense or nothing, and takes others in meanwhile", async () => {
  const gate = await gates.start();
  const address = await adminOf(gate);
  const port = Number(address.split(":").at(-1));
  const silent: Socket[] = [];
  for (let count = 0; count < 400; count++) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    silent.push(socket);
  }
  onTestFinished(() => {
    for (const socket of silent) socket.destroy();
  });
  const asked = "GET /livez HTTP/1.1\r\nHost: x\r\n";
  await expect.poll(() => fetch(`http://${address}/livez`).then(({ status }) => status, String)).toBe(200);
  for (const [nonsense, status] of [
    ["CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 405],
    ["\x16\x03\x01\x02\x00\x01\x00", 400],
    [`${asked}Upgrade: websocket\r\nConnection: upgrade\r\n\r\n`, 200],
    [`${asked}X: ${"x".repeat(100_000)}\r\n\r\n`, 431],
    [`${asked}Content-Length: 9999999999\r\n\r\nx`, 200],
    [`${asked}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`, 200],
    // The listener refuses the body while the response is being made.
    ...["/livez", "/readyz", "/metrics"].map(
      (path) => [`GET ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`, 400] as const,
    ),
  ] as const) {
    const [response] = await exchangeRaw(`http://${address}`, nonsense);
    expect(response?.status, nonsense.slice(0, 60)).toBe(status);
  }
  expect(await statusOf(`${gate.url}/v2/`, alice)).toBe(200);
  expect(gate.exit()).toBeUndefined();
});

test("moves by a reload, and a reload whose address cannot be had is rejected as a whole", async () => {
  const gate = await gates.start();
  const before = await adminOf(gate);
  const taken = new URL(upstream.url).host;
  await gate.configure(gates.configuration({ admin: { address: taken }, access: [] }));
  const { faults } = await gate.logged(({ event }) => event === "reload refused");
  expect(faults).toEqual([`admin.address: ${taken} is in use`]);
  expect(await statusOf(`http://${before}/readyz`)).toBe(200);
  expect(await (await fetch(`http://${before}/readyz?verbose`)).json()).toMatchObject({
    ready: true,
    parts: expect.arrayContaining([expect.objectContaining({ part: "reload", status: "warning", reason: "rejected" })]),
  });
  expect(await statusOf(`${gate.url}/v2/`, alice)).toBe(200);

  const next = `127.0.0.1:${await freePort()}`;
  await gate.configure(gates.configuration({ admin: { address: next, drainDelay: "0s" } }));
  await expect.poll(() => adminOf(gate)).toBe(next);
  expect(await statusOf(`http://${next}/readyz`)).toBe(200);
  await expect.poll(() => fetch(`http://${before}/livez`).catch(() => "refused")).toBe("refused");

  await gate.configure(gates.configuration({ admin: undefined }));
  await expect.poll(() => fetch(`http://${next}/livez`).catch(() => "refused")).toBe("refused");
  await gate.configure(gates.configuration({ admin: { address: next, drainDelay: "0s" } }));
  await expect.poll(() => statusOf(`http://${next}/livez`).catch(() => "refused")).toBe(200);
});

test("is left where it was when the listener of requests cannot move", async () => {
  const gate = await gates.start();
  const before = await adminOf(gate);
  const next = `127.0.0.1:${await freePort()}`;
  const taken = new URL(upstream.url).host;
  await gate.configure(gates.configuration({ listen: { address: taken }, admin: { address: next, drainDelay: "0s" } }));
  await gate.logged(({ event }) => event === "reload refused");
  expect(await statusOf(`http://${before}/livez`)).toBe(200);
  await expect.poll(() => fetch(`http://${next}/livez`).catch(() => "refused")).toBe("refused");
});

test("listens on a Unix socket, which is gone when the gate has ended", async () => {
  const gate = await gates.start({ admin: { address: "unix:admin.sock", drainDelay: "0s" } });
  expect(await adminOf(gate)).toBe(`unix:${join(gate.directory, "admin.sock")}`);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let received = "";
  const socket = connect(join(gate.directory, "admin.sock"));
  socket.on("data", (chunk) => {
    received += String(chunk);
  });
  socket.once("end", () => resolve(received)).once("error", reject);
  socket.write("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  expect(await promise).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  gate.kill("SIGTERM");
  expect(await gate.ended).toBe(0);
  expect(existsSync(join(gate.directory, "admin.sock"))).toBe(false);
});

test("is shared with a process that takes over, as the listener of requests is", async () => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const admin = `127.0.0.1:${adminPort}`;
  const shared = {
    listen: { address: `127.0.0.1:${port}`, shared: true },
    admin: { address: admin, drainDelay: "0s" },
  };
  const former = await gates.start(shared);
  const next = await gates.start(shared);
  expect(await adminOf(next)).toBe(admin);
  former.kill("SIGTERM");
  expect(await former.ended).toBe(0);
  expect(await statusOf(`http://${admin}/readyz`)).toBe(200);
  expect(next.exit()).toBeUndefined();
});

test("keeps a gate from starting where its address cannot be had", async () => {
  const taken = new URL(upstream.url).host;
  await expect(gates.start({ admin: { address: taken } })).rejects.toThrow(`admin.address: ${taken} is in use`);
});

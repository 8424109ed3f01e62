import type { RequestListener } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { makeCertificate } from "../support/certificate.ts";
import { freePort } from "../support/free-port.ts";
import type { RunningGate } from "../support/gate.ts";
import { gatesBefore } from "../support/gates-before.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

let upstream: ScriptedUpstream;
let respond: RequestListener;
let pings: (string | undefined)[];
const working: RequestListener = (_, response) => {
  response.setHeader("docker-distribution-api-version", "registry/2.0");
  response.end("{}");
};

beforeEach(async () => {
  pings = [];
  respond = working;
  upstream = await startUpstream((request, response) => {
    pings.push(request.headers.authorization);
    respond(request, response);
  });
});
afterEach(() => upstream.close());

const htpasswd = { type: "htpasswd", file: "htpasswd" };

async function start(changes: object = {}, files: Readonly<Record<string, string>> = {}): Promise<RunningGate> {
  const gates = gatesBefore(upstream.url, await passwordFile({ alice: "canary-password" }), {
    admin: { address: "127.0.0.1:0", drainDelay: "0s" },
  });
  return gates.start(changes, { files });
}

interface Answer {
  readonly status: number;
  readonly parts: Readonly<Record<string, unknown>>;
  readonly text: string;
}

async function readinessOf(gate: RunningGate): Promise<Answer> {
  const { address } = await gate.logged(({ event }) => event === "admin listening");
  const response = await fetch(`http://${String(address)}/readyz?verbose`);
  const text = await response.text();
  const { ready, parts } = JSON.parse(text);
  expect(ready).toBe(response.status === 200);
  const entries = parts.map(({ part, status, reason }: Record<string, unknown>) => [
    part,
    reason === undefined ? status : `${String(status)}: ${String(reason)}`,
  ]);
  return { status: response.status, parts: Object.fromEntries(entries), text };
}

test("a gate whose every part is in order is ready, and signs in at the registry as itself", async () => {
  const credentials = { username: "gate", passwordFile: "secret" };
  const gate = await start(
    { upstream: { url: upstream.url, credentials }, state: { file: "state.db" } },
    { secret: "canary-secret" },
  );
  const { status, parts, text } = await readinessOf(gate);
  expect({ status, parts }).toEqual({
    status: 200,
    parts: { gate: "ok", "backend:htpasswd": "ok", registry: "ok", state: "ok", reload: "ok" },
  });
  expect(pings).toEqual([basic("gate", "canary-secret").authorization]);
  expect(text).not.toMatch(/canary|127\.0\.0\.1|htpasswd"?[,:]"?\//);
});

test("a registry that fails makes it not ready, which the log tells once, and one that works ready again", async () => {
  const gate = await start();
  expect((await readinessOf(gate)).status).toBe(200);
  respond = (_, response) => response.writeHead(503).end();
  const registry = async () => {
    const { status, parts } = await readinessOf(gate);
    return [status, parts.registry];
  };
  await expect.poll(registry).toEqual([503, "failed: responds with 503, but a registry responds with 200"]);
  await expect.poll(() => pings.length).toBeGreaterThan(1);
  const count = pings.length;
  await expect.poll(async () => [await registry(), pings.length > count + 1][1]).toBe(true);
  respond = working;
  await expect.poll(registry).toEqual([200, "ok"]);
  const events = () => gate.lines().filter(({ event }) => String(event).startsWith("part "));
  await expect
    .poll(() => events().map(({ event, part }) => [event, part]))
    .toEqual([
      ["part failed", "registry"],
      ["part recovered", "registry"],
    ]);
});

test("a registry that switched protocols once is asked again", async () => {
  const gate = await start();
  const registry = async () => (await readinessOf(gate)).parts.registry;
  respond = ({ socket }) => socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
  await expect.poll(registry).toBe("failed: unavailable");
  respond = working;
  await expect.poll(registry).toBe("ok");
});

test("a gate that requires nothing else stays ready, and tells all the same", async () => {
  const gate = await start({ admin: { address: "127.0.0.1:0", drainDelay: "0s", requires: [] } });
  respond = (request) => request.socket.destroy();
  const { status, parts } = await readinessOf(gate);
  expect([status, parts.registry]).toEqual([200, "failed: ECONNRESET"]);
});

test("of two backends one is enough, and of one it is all", async () => {
  const ldap = {
    type: "ldap",
    urls: [`ldap://127.0.0.1:${await freePort()}`],
    searchBase: "dc=canary",
    allowCleartext: true,
  };
  const both = await start({ auth: { backends: [ldap, htpasswd] } });
  await expect.poll(async () => (await readinessOf(both)).parts["backend:ldap"]).toBe("failed: ECONNREFUSED");
  const found = await readinessOf(both);
  expect([found.status, found.parts["backend:htpasswd"]]).toEqual([200, "ok"]);
  expect(found.text).not.toMatch(/canary|127\.0\.0\.1/);
  const one = await start({ auth: { backends: [ldap] } });
  expect((await readinessOf(one)).status).toBe(503);
});

test("however many ask, the registry is asked once a second at most", async () => {
  const gate = await start();
  const begun = performance.now();
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 20 }, () => readinessOf(gate)));
  }
  const seconds = (performance.now() - begun) / 1000;
  expect(pings.length).toBeGreaterThan(0);
  expect(pings.length).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
});

test("a registry that hangs keeps no probe waiting, is asked by one request at a time, and is told of", async () => {
  let [open, most] = [0, 0];
  const gate = await start({ upstream: { url: upstream.url, connectTimeout: "1s" } });
  respond = (request) => {
    most = Math.max(most, ++open);
    request.socket.once("close", () => open--);
  };
  await expect.poll(async () => (await readinessOf(gate)).parts.registry).toBe("failed: no response in time");
  expect((await readinessOf(gate)).status).toBe(503);
  expect(most).toBe(1);
});

test("a certificate is a part of it, and one that a reload rejects is noted", async () => {
  const { certificate, key } = await makeCertificate();
  const gate = await start({ listen: { address: "127.0.0.1:0", tls: { certificate, key } } });
  expect((await readinessOf(gate)).parts).toMatchObject({ certificate: "ok" });
});

import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { type Haproxy, startHaproxy } from "../support/haproxy.ts";
import { passwordFile } from "../support/password-file.ts";
import { connectRaw, exchangeRaw } from "../support/raw-client.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

let upstream: ScriptedUpstream;
/** What came to the registry. */
let asked: (string | undefined)[];
/** Responses that the registry has begun and not ended. */
let held: ServerResponse[];
const gates: RunningGate[] = [];
let haproxy: Haproxy | undefined;

beforeEach(async () => {
  [asked, held] = [[], []];
  upstream = await startUpstream((request, response) => {
    asked.push(request.url);
    response.writeHead(200, { "Content-Length": 100 }).write("the beginning");
    held.push(response);
  });
});

afterEach(async () => {
  await haproxy?.close();
  haproxy = undefined;
  for (const response of held) response.destroy();
  for (const gate of gates.splice(0)) await gate.close();
  await upstream.close();
});

async function start(listen: object, more: object = {}): Promise<RunningGate> {
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0", healthPath: "/healthz", ...listen },
      upstream: { url: upstream.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      ...more,
    },
    files: { htpasswd: await passwordFile({ alice: "alice-password" }) },
  });
  gates.push(gate);
  return gate;
}

const { authorization } = basic("alice", "alice-password");
const download = `GET /v2/team/app/blobs/sha256:${"0".repeat(64)} HTTP/1.1\r\nHost: h\r\nAuthorization: ${authorization}\r\n\r\n`;

test("responds 200 without a login to GET, HEAD and OPTIONS, over HTTP/1.0 without a Host header too", async () => {
  const gate = await start({});
  const host = "HTTP/1.1\r\nHost: h\r\n";
  for (const [request, body] of [
    [`GET /healthz ${host}\r\n`, "ok\n"],
    [`HEAD /healthz ${host}\r\n`, ""],
    [`OPTIONS /healthz ${host}\r\n`, "ok\n"],
    [`GET /healthz?probe=1 ${host}\r\n`, "ok\n"],
    [`GET /healthz ${host}Authorization: Basic !\r\nExpect: 100-continue\r\n\r\n`, "ok\n"],
    [`GET /healthz ${host}Content-Length: 5\r\n\r\n12345`, "ok\n"],
    ["GET /healthz HTTP/1.1\r\n\r\n", "ok\n"],
    ["GET /healthz HTTP/1.0\r\n\r\n", "ok\n"],
    ["OPTIONS /healthz HTTP/1.0\r\n\r\n", "ok\n"],
    ["HEAD /healthz HTTP/1.0\r\n\r\n", ""],
  ] as const) {
    const [response] = await exchangeRaw(gate.url, request);
    expect(response, request).toMatchObject({ status: 200, body });
    expect(response?.headers.get("cache-control")).toBe("no-store");
  }
  expect(asked).toEqual([]);
});

test("responds 405 to other methods, and 404 to other paths and where no path is configured", async () => {
  const gate = await start({});
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "TRACE"]) {
    const [response] = await exchangeRaw(gate.url, `${method} /healthz HTTP/1.1\r\nHost: h\r\n\r\n`);
    expect(response?.status, method).toBe(405);
    expect(response?.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
  }
  for (const path of ["/healthz/", "/Healthz", "/health", "/%68ealthz", "//healthz", "/", "/?/healthz"]) {
    const [response] = await exchangeRaw(gate.url, `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
    expect(response?.status, path).toBe(404);
  }
  await gate.configure({
    listen: { address: "127.0.0.1:0" },
    upstream: { url: upstream.url },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
  });
  await gate.logged(({ event }) => event === "reloaded");
  expect((await fetch(`${gate.url}/healthz`)).status).toBe(404);
  expect(asked).toEqual([]);
});

test("is neither limited nor among the logged requests", async () => {
  const limits = { inFlight: 1, inFlightPerClient: 1 };
  const gate = await start({ maxConnections: 1 }, { limits, log: { level: "debug" } });
  const busy = await connectRaw(gate.url);
  busy.write(download);
  await expect.poll(() => asked.length).toBe(1);
  const [refused] = await exchangeRaw(gate.url, download);
  expect(refused?.status).toBe(503);
  for (let check = 0; check < 5; check++) expect((await fetch(`${gate.url}/healthz`)).status).toBe(200);
  await expect.poll(() => gate.lines().filter(({ event }) => event === "health check").length).toBe(5);
  expect(await gate.logged(({ event }) => event === "health check")).toMatchObject({ level: "debug", status: 200 });
  expect(gate.lines().filter(({ event }) => event === "request")).toEqual([]);
  busy.socket.destroy();
});

test("follows a reload", async () => {
  const gate = await start({});
  const configuration = {
    listen: { address: "127.0.0.1:0", healthPath: "/" },
    upstream: { url: upstream.url },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
  };
  await gate.configure(configuration);
  await gate.logged(({ event }) => event === "reloaded");
  const status = async (path: string): Promise<number> => (await fetch(gate.url + path)).status;
  expect([await status("/"), await status("/healthz")]).toEqual([200, 404]);
});

test("HAProxy takes the gate for healthy by its default check, OPTIONS / HTTP/1.0, and for down when it has ended", async () => {
  const gate = await start({ healthPath: "/" });
  const { host } = new URL(gate.url);
  haproxy = await startHaproxy((port) => [
    ...["frontend front", `bind 127.0.0.1:${port}`, "default_backend gates"],
    ...["backend gates", "option httpchk", `server gate ${host} check inter 100ms fall 2 rise 1 init-addr last`],
  ]);
  const { url, output } = haproxy;
  const status = async (): Promise<number> => (await fetch(`${url}/v2/`)).status;
  await expect.poll(status).toBe(401);
  // Time for two checks that fail.
  await expect.poll(() => gate.lines().filter(({ event }) => event === "request").length).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(await status()).toBe(401);
  expect(output()).not.toContain("DOWN");
  gate.kill("SIGTERM");
  await gate.ended;
  await expect.poll(output).toMatch(/Server gates\/gate is DOWN/);
  expect(await status()).toBe(503);
});

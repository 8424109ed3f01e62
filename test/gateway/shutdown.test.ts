import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Gateway, startGateway } from "registry-gate";
import { afterEach, beforeEach, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { freePort } from "../support/free-port.ts";
import { startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

const { authorization } = basic("alice", "alice-password");
const headers = { authorization, "content-type": "application/octet-stream" };
const blob = `/v2/team/app/blobs/sha256:${"0".repeat(64)}`;
const upload = "/v2/team/app/blobs/uploads/0f0c5ff3-2f2f-4f2f-9f2f-0f0c5ff32f2f";

let received: string;
let upstream: ScriptedUpstream;
let htpasswd: string;

beforeEach(async () => {
  received = "";
  upstream = await startUpstream(async (request, response) => {
    for await (const chunk of request) received += String(chunk);
    respond(request.url, response);
  });
  htpasswd = await passwordFile({ alice: "alice-password" });
});

afterEach(() => upstream.close());

/** Blobs begin and never end. */
function respond(url: string | undefined, response: ServerResponse): void {
  if (url?.includes("/blobs/sha256:") !== true) return void response.writeHead(202).end();
  response.writeHead(200, { "content-length": "100" }).write("the beginning");
}

const configuration = (address: string): object => ({
  listen: { address },
  upstream: { url: upstream.url },
  auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
  log: { level: "silent" },
});

/** A body that is sent chunk by chunk. */
function piecewise(): { body: ReadableStream<Uint8Array>; send(text: string): void; end(): void } {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  return {
    body: readable,
    send: (text) => void writer.write(new TextEncoder().encode(text)),
    end: () => void writer.close(),
  };
}

test.each(["SIGTERM", "SIGINT", "SIGQUIT"] as const)("%s lets an upload finish that has begun", async (signal) => {
  const gate = await startGate({
    configuration: { ...configuration("127.0.0.1:0"), log: { level: "info" } },
    files: { htpasswd },
  });
  try {
    const { body, send, end } = piecewise();
    const init: RequestInit & { duplex: "half" } = { method: "PATCH", headers, body, duplex: "half" };
    const answered = fetch(gate.url + upload, init);
    send("before, ");
    await expect.poll(() => received).toBe("before, ");
    gate.kill(signal);
    await gate.logged(({ event }) => event === "stopping");
    await expect.poll(() => fetch(gate.url).catch(() => "refused")).toBe("refused");
    send("after");
    end();
    expect((await answered).status).toBe(202);
    expect(received).toBe("before, after");
    const line = await gate.logged(({ event }) => event === "request");
    expect(line).toMatchObject({ operation: "continue-upload", status: 202, bytesReceived: "before, after".length });
    expect(await gate.ended).toBe(0);
  } finally {
    await gate.close();
  }
});

test("a second signal of any kind ends at once, and SIGUSR1 neither ends anything nor opens a debugger", async () => {
  const gate = await startGate({
    configuration: { ...configuration("127.0.0.1:0"), log: { level: "info" } },
    files: { htpasswd },
  });
  try {
    gate.kill("SIGUSR1");
    const response = await fetch(`${gate.url}${blob}`, { headers });
    const cut = response.text().catch(() => "cut");
    // Node says on which port its debugger listens, or that it cannot.
    await delay(500);
    expect(gate.besideLog()).toBe("");
    gate.kill("SIGQUIT");
    await gate.logged(({ event }) => event === "stopping");
    gate.kill("SIGUSR1");
    await delay(100);
    expect(gate.exit()).toBeUndefined();
    gate.kill("SIGTERM");
    expect(await gate.ended).toBe(1);
    expect(await cut).toBe("cut");
  } finally {
    await gate.close();
  }
});

test("closes requests that do not finish in time, even if the address has changed since", async () => {
  const directory = await mkdtemp(join(tmpdir(), "shutdown-"));
  const file = join(directory, "gate.yaml");
  const configure = (address: string): Promise<void> => writeFile(file, JSON.stringify(configuration(address)));
  await writeFile(join(directory, "htpasswd"), htpasswd);
  await configure("127.0.0.1:0");
  const gateway: Gateway = await startGateway(file);
  const begin = async (): Promise<Response> => fetch(`http://${gateway.address}${blob}`, { headers });
  try {
    const [before, first] = [gateway.address, await begin()];
    await configure(`127.0.0.1:${await freePort()}`);
    await gateway.reload();
    expect(gateway.address).not.toBe(before);
    const bodies = [first, await begin()].map((response) => response.text().catch(() => "cut"));
    await gateway.close(100);
    expect(await Promise.all(bodies)).toEqual(["cut", "cut"]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

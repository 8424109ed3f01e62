import { request as httpRequest, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { digestOf } from "../../../../test/support/registry-content.ts";
import type { ContentCacheOptions } from "../../src/index.ts";
import { send } from "./client.ts";
import { alice, startGate, startRawUpstream, startUpstream } from "./servers.ts";

/** The cache over real connections: registries that lie, break off or are slow, and clients that read slowly or leave. */

const content = "a manifest";
const path = "/v2/team/app/manifests/latest";
const cache: ContentCacheOptions = { ttl: "1h" };

/** A registry whose responses wait for the test. */
async function startHeld() {
  const held: ServerResponse[] = [];
  const methods: string[] = [];
  const port = await startUpstream((incoming, response) => {
    methods.push(incoming.method ?? "");
    incoming.resume();
    held.push(response);
  });
  const gate = await startGate({ upstream: { url: `http://127.0.0.1:${port}`, cache } });
  const next = async (): Promise<ServerResponse> => {
    await expect.poll(() => held.length).toBeGreaterThan(0);
    const response = held.shift();
    if (response === undefined) throw new Error("nothing is held");
    return response;
  };
  return { gate, held, methods, next };
}

function headersOf(text: string, named = digestOf(text)): Record<string, string | number> {
  const digest = named;
  return { "content-length": Buffer.byteLength(text), "docker-content-digest": digest, etag: `"${digest}"` };
}

function respond(response: ServerResponse, text: string, named?: string): void {
  response.writeHead(200, headersOf(text, named)).end(text);
}

test("what a registry sends under a false digest goes to whoever asks, and is never kept", async () => {
  const { gate, methods, next } = await startHeld();
  for (const user of ["bob", "carol"]) {
    const got = send(gate.port, { path, user });
    respond(await next(), "forged", digestOf(content));
    expect(await got).toMatchObject({ status: 200, body: "forged" });
  }
  expect(methods).toHaveLength(2);
  expect(gate.records.map((record) => record.cache)).toEqual(["miss", "miss"]);
});

test("a body that breaks off is 502 for the client that asked, and others get it whole", async () => {
  let times = 0;
  const { port } = await startRawUpstream((socket) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Length: 10\r\nDocker-Content-Digest: ${digestOf(content)}\r\n\r\n`;
    if (++times > 1) return void socket.write(head + content);
    socket.write(`${head}a man`);
    setTimeout(() => socket.destroy(), 300);
  });
  const gate = await startGate({ upstream: { url: `http://127.0.0.1:${port}`, cache } });
  const first = send(gate.port, { path, user: "bob" });
  await expect.poll(() => times).toBe(1);
  const second = send(gate.port, { path, user: "carol" });
  expect((await first).status).toBe(502);
  expect(await second).toMatchObject({ status: 200, body: content });
  expect(await send(gate.port, { path, user: "dave" })).toMatchObject({ status: 200, body: content });
  expect(times).toBe(2);
});

test("a blob that is too large passes as it comes, and nobody waits for it", async () => {
  const { gate, held, next } = await startHeld();
  const blob = `/v2/team/app/blobs/${digestOf("large")}`;
  const readers = ["bob", "carol"].map((user) => send(gate.port, { path: blob, user }));
  const first = await next();
  first.writeHead(200, { "content-length": 2_000_000 });
  first.write(Buffer.alloc(1000));
  const second = await next();
  second.writeHead(200, { "content-length": 2_000_000 }).end(Buffer.alloc(2_000_000));
  expect((await readers[1])?.body.length).toBe(2_000_000);
  first.end(Buffer.alloc(1_999_000));
  expect((await readers[0])?.body.length).toBe(2_000_000);
  expect(held).toHaveLength(0);
});

test("neither a first client that does not read nor one that leaves keeps the others from their response", async () => {
  const large = "x".repeat(1_000_000);
  for (const leaves of [false, true]) {
    const { gate, methods, next } = await startHeld();
    const first = connect(gate.port, "127.0.0.1");
    first.on("error", () => {});
    first.write(`GET ${path} HTTP/1.1\r\nHost: gate\r\nAuthorization: ${alice}\r\n\r\n`);
    first.pause();
    const response = await next();
    const follower = send(gate.port, { path, headers: { host: "gate" } });
    await expect.poll(() => gate.records.length + methods.length).toBe(1);
    // It has been read by the gate when a later request has.
    await send(gate.port, { path: "/elsewhere" });
    response.writeHead(200, headersOf(large));
    response.write(large.slice(0, 500_000));
    if (leaves) first.destroy();
    response.end(large.slice(500_000));
    expect((await follower).body.length).toBe(1_000_000);
    expect(methods).toHaveLength(1);
    first.destroy();
  }
});

test("what was read while a push was under way is not served after it", async () => {
  const { gate, next } = await startHeld();
  const before = send(gate.port, { path });
  const reading = await next();
  const put = send(gate.port, { method: "PUT", path, body: "{}", headers: { "content-type": "application/json" } });
  (await next()).writeHead(201).end();
  expect((await put).status).toBe(201);
  respond(reading, "old");
  expect((await before).body).toBe("old");
  const after = send(gate.port, { path });
  respond(await next(), "new");
  expect((await after).body).toBe("new");
  expect((await send(gate.port, { path })).body).toBe("new");
});

test("a login that the registry asks of the gate is no response to keep", async () => {
  const { gate, next } = await startHeld();
  for (const status of [401, 407]) {
    const got = send(gate.port, { path });
    (await next()).writeHead(status, headersOf(content)).end(content);
    expect((await got).status).toBe(502);
  }
});

test("every request is authorized, also for what is in memory", async () => {
  const port = await startUpstream((_, response) => respond(response, content));
  const access = [{ subjects: ["user:bob"], repositories: ["team/**"], actions: ["pull" as const] }];
  const gate = await startGate({ upstream: { url: `http://127.0.0.1:${port}`, cache }, access });
  expect(await send(gate.port, { path, user: "bob" })).toMatchObject({ status: 200, body: content });
  expect((await send(gate.port, { path, user: "carol" })).status).toBe(403);
  expect((await send(gate.port, { path, user: null })).status).toBe(401);
  expect(await send(gate.port, { path, user: "bob" })).toMatchObject({ status: 200, body: content });
  expect(gate.records.map((record) => record.cache)).toEqual(["miss", undefined, undefined, "hit"]);
  expect(gate.records.at(-1)?.upstreamMilliseconds).toBeUndefined();
});

test("a client that leaves while it waits costs nobody anything", async () => {
  const { gate, held, methods, next } = await startHeld();
  const left = httpRequest({ port: gate.port, path, headers: { authorization: alice } });
  left.on("error", () => {});
  left.end();
  await next();
  left.destroy();
  await expect.poll(() => gate.records.length).toBe(1);
  const got = send(gate.port, { path });
  respond(await next(), content);
  expect(await got).toMatchObject({ status: 200, body: content });
  expect([held.length, methods.length]).toEqual([0, 2]);
});

import { once } from "node:events";
import { Agent, type IncomingMessage, type ServerResponse } from "node:http";
import { stallMidBody, stallUpload } from "@registry-gate/embedded-registry";
import { describe, expect, test } from "vitest";
import { type ClientResponse, send } from "./client.ts";
import { alice, connectRaw, type RawClient, startGate, startRegistry, startUpstream } from "./servers.ts";

const blob = `/v2/team/app/blobs/sha256:${"0".repeat(64)}`;
const upload = "/v2/team/app/blobs/uploads/1";
const mebibyte = 2 ** 20;

async function ask(port: number, line: string, ...headers: readonly string[]): Promise<RawClient> {
  const client = await connectRaw(port);
  client.write([`${line} HTTP/1.1`, "Host: x", `Authorization: ${alice}`, ...headers, "", ""].join("\r\n"));
  return client;
}

/** A registry that leaves the one exchange that comes to the test. */
async function startHeldUpstream() {
  const { promise, resolve } = Promise.withResolvers<{ request: IncomingMessage; response: ServerResponse }>();
  const port = await startUpstream((request, response) => {
    if (request.url === "/v2/") response.end();
    else resolve({ request, response });
  });
  return { port, exchange: promise };
}

describe("chunks are forwarded at once", () => {
  test.each([
    ["of known length", ["Content-Length: 15"], (text: string) => text],
    ["in chunks", ["Transfer-Encoding: chunked"], (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`],
  ])("of a body %s: the registry receives each chunk before the next is sent", async (_, headers, frame) => {
    const upstream = await startHeldUpstream();
    const gate = await startGate({ upstream: upstream.port });
    const client = await ask(gate.port, `PATCH ${upload}`, ...headers);
    client.write(frame("bytes"));
    const { request, response } = await upstream.exchange;
    let received = "";
    request.on("data", (chunk: Buffer) => {
      received += chunk.toString();
    });
    for (const count of [1, 2, 3]) {
      if (count > 1) client.write(frame("bytes"));
      await expect.poll(() => received).toBe("bytes".repeat(count));
    }
    expect(request.complete).toBe(headers[0] === "Content-Length: 15");
    client.write(frame(""));
    response.end("taken");
    expect(await client.until(/taken/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test.each([
    ["of known length", { "content-length": "15" }],
    ["in chunks", {}],
  ])("of a response %s: the client receives each chunk before the next is sent", async (_, headers) => {
    const upstream = await startHeldUpstream();
    const gate = await startGate({ upstream: upstream.port });
    const client = await ask(gate.port, `GET ${blob}`);
    const { response } = await upstream.exchange;
    response.writeHead(200, headers);
    for (const count of [1, 2, 3]) {
      response.write("bytes");
      await client.until(new RegExp(`(?:bytes[^b]*){${count}}`));
    }
    response.end();
    await expect.poll(() => gate.records.length).toBe(1);
    expect(gate.records[0]).toMatchObject({ status: 200, bytesSent: 15 });
  });
});

describe("a slow reader slows down only its sender", () => {
  /** What others ask meanwhile: when they are answered, whoever reads on has read far more than they may. */
  async function others(port: number): Promise<void> {
    for (let count = 0; count < 50; count++) expect((await send(port, { path: "/v2/" })).status).toBe(200);
  }
  /** Two connections' worth of buffers in the kernel, and those of the streams. */
  const atMost = 32 * mebibyte;

  test("a client that does not read its download", async () => {
    const upstream = await startHeldUpstream();
    const gate = await startGate({ upstream: upstream.port });
    const client = await ask(gate.port, `GET ${blob}`);
    client.socket.pause();
    const { response } = await upstream.exchange;
    response.writeHead(200, { "content-length": 256 * mebibyte });
    const chunk = Buffer.alloc(mebibyte);
    let written = 0;
    const write = (): void => {
      while (written < 256 * mebibyte) {
        written += chunk.length;
        if (!response.write(chunk)) return void response.once("drain", write);
      }
    };
    write();
    await others(gate.port);
    expect(written).toBeLessThan(atMost);
    // As soon as it reads, it gets everything.
    let received = 0;
    client.socket.removeAllListeners("data");
    client.socket.on("data", (text: string) => {
      received += text.length;
    });
    client.socket.resume();
    await expect.poll(() => received).toBeGreaterThan(256 * mebibyte);
  });

  test("a registry that does not read an upload", async () => {
    const registry = await startRegistry({ onRequest: stallUpload(1000) });
    const gate = await startGate({ upstream: registry.port });
    const client = await ask(gate.port, `PATCH ${upload}`, `Content-Length: ${256 * mebibyte}`);
    let taken = 0;
    const write = (): void => {
      client.socket.write(Buffer.alloc(mebibyte), () => {
        taken += mebibyte;
        if (taken < 256 * mebibyte) write();
      });
    };
    write();
    await expect.poll(() => registry.requests[0]?.bytes ?? 0).toBeGreaterThanOrEqual(1000);
    registry.setFaults({});
    await others(gate.port);
    expect(taken).toBeLessThan(atMost);
  });
});

describe("a transfer in progress is not cut, however long it takes", () => {
  const readTimeout = 400;
  const chunks = 12;

  /** Calls `step` as often as it takes for everything together to last for three times the limit. */
  async function slowly(step: () => void): Promise<void> {
    for (let count = 0; count < chunks; count++) {
      await new Promise((resolve) => setTimeout(resolve, (3 * readTimeout) / chunks));
      step();
    }
  }

  test("an upload", async () => {
    const registry = await startUpstream((request, response) => {
      request.resume().once("end", () => response.end("taken"));
    });
    const gate = await startGate({ upstream: { url: `http://127.0.0.1:${registry}`, readTimeout } });
    const client = await ask(gate.port, `PATCH ${upload}`, "Transfer-Encoding: chunked");
    await slowly(() => client.write("5\r\nbytes\r\n"));
    client.write("0\r\n\r\n");
    expect(await client.until(/taken/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test("a download", async () => {
    const upstream = await startHeldUpstream();
    const gate = await startGate({ upstream: { url: `http://127.0.0.1:${upstream.port}`, readTimeout } });
    const client = await ask(gate.port, `GET ${blob}`);
    const { response } = await upstream.exchange;
    await slowly(() => void response.write("bytes"));
    response.end("end");
    const received = await client.until(/end\r\n0\r\n\r\n$/);
    expect(received.match(/bytes|end/g)).toEqual([...Array.from({ length: chunks }, () => "bytes"), "end"]);
  });
});

describe("a client that disconnects", () => {
  test("in the middle of a download frees the connection to the registry", async () => {
    const registry = await startUpstream((_, response) => {
      response.writeHead(200, { "content-length": 1000 }).write("beginning");
      response.once("close", () => closed.resolve());
    });
    const closed = Promise.withResolvers<void>();
    const gate = await startGate({ upstream: registry });
    const client = await ask(gate.port, `GET ${blob}`);
    await client.until(/beginning/);
    client.socket.destroy();
    await closed.promise;
    await expect.poll(() => gate.records.length).toBe(1);
    expect(gate.records[0]).toMatchObject({ status: 200, bytesSent: "beginning".length });
  });

  test("before the response frees the connection too, and is recorded with 499", async () => {
    const upstream = await startHeldUpstream();
    const gate = await startGate({ upstream: upstream.port });
    const client = await ask(gate.port, `GET ${blob}`);
    const { response } = await upstream.exchange;
    client.socket.destroy();
    await once(response, "close");
    await expect.poll(() => gate.records.length).toBe(1);
    expect(gate.records[0]).toMatchObject({ status: 499, bytesSent: 0 });
  });

  // At once: not when a client that might still send would have been waited for.
  test("in the middle of an upload aborts it at the registry, where it is incomplete", { timeout: 9_000 }, async () => {
    const upstream = await startHeldUpstream();
    const gate = await startGate({ upstream: upstream.port });
    const client = await ask(gate.port, `PATCH ${upload}`, "Transfer-Encoding: chunked");
    client.write("5\r\nbytes\r\n");
    const { request } = await upstream.exchange;
    const aborted = once(request.resume(), "error");
    client.socket.destroy();
    await aborted;
    expect(request.complete).toBe(false);
  });

  test("does not affect other requests", async () => {
    const registry = await startRegistry({ onRequest: stallMidBody({ length: 1000, sent: 10 }) });
    const gate = await startGate({ upstream: registry.port });
    const clients = await Promise.all(Array.from({ length: 10 }, () => ask(gate.port, `GET ${blob}`)));
    await Promise.all(clients.map((client) => client.until(/\0{10}/)));
    for (const client of clients) client.socket.destroy();
    registry.setFaults({});
    expect((await send(gate.port, { path: "/v2/" })).status).toBe(200);
    await expect.poll(() => gate.records.length).toBe(11);
  });
});

describe("connections are kept", () => {
  const pathOf = ({ headers }: ClientResponse): string => headers.location ?? "";

  test("by five uploads in chunks: one with the client, one with the registry", async () => {
    const registry = await startRegistry();
    const gate = await startGate({ upstream: registry.port });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const connections = new Set<number | undefined>();
    const start = await send(gate.port, { method: "POST", path: "/v2/team/app/blobs/uploads/", agent });
    let path = pathOf(start);
    for (let count = 0; count < 5; count++) {
      const headers = { "transfer-encoding": "chunked" };
      const response = await send(gate.port, { method: "PATCH", path, headers, body: "bytes", agent });
      expect([response.status, response.headers.connection]).toEqual([202, "keep-alive"]);
      connections.add(response.connection);
      path = pathOf(response);
    }
    agent.destroy();
    expect(connections.size).toBe(1);
    expect(registry.requests.map(({ method, connection }) => [method, connection])).toEqual([
      ["POST", 1],
      ...Array.from({ length: 5 }, () => ["PATCH", 1]),
    ]);
  });

  test("by reads of any kind, whether or not there is a body", async () => {
    const registry = await startRegistry();
    const gate = await startGate({ upstream: registry.port });
    for (const method of ["GET", "HEAD", "GET", "HEAD"]) {
      await send(gate.port, { method, path: "/v2/" });
      await send(gate.port, { method, path: blob });
    }
    expect(registry.requests).toHaveLength(8);
    expect(new Set(registry.requests.map(({ connection }) => connection)).size).toBe(1);
  });

  test("and slow pulls block no other request, because more are opened", async () => {
    const registry = await startRegistry({ onRequest: stallMidBody({ length: 1000, sent: 10 }) });
    const gate = await startGate({ upstream: registry.port, limits: { inFlightPerClient: 400 } });
    const clients = await Promise.all(Array.from({ length: 300 }, () => ask(gate.port, `GET ${blob}`)));
    await Promise.all(clients.map((client) => client.until(/\0{10}/)));
    registry.setFaults({});
    expect((await send(gate.port, { path: "/v2/" })).status).toBe(200);
  });
});

import { once } from "node:events";
import { Agent } from "node:http";
import { createServer, type Socket } from "node:net";
import {
  answerEarly,
  atMost,
  closeBeforeAnswer,
  closeMidBody,
  onlyFor,
  type RequestHook,
  stallBeforeHeaders,
  stallMidBody,
  stallUpload,
} from "@registry-gate/embedded-registry";
import { describe, expect, test } from "vitest";
import { errorCode, send, zeros } from "./client.ts";
import { alice, connectRaw, startGate, startRawUpstream, startRegistry, startUpstream } from "./servers.ts";

const ping = { path: "/v2/" };
const upload = { method: "PATCH", path: "/v2/team/app/blobs/uploads/1" };
const mebibyte = 2 ** 20;

describe("a kept connection that the registry has just closed", () => {
  test("fails no read, twenty times in a row", async () => {
    const registry = await startRegistry();
    // Each connection is closed under the second request that comes on it, as one that was idle for too long.
    const used = new WeakSet<object>();
    registry.setFaults({
      onRequest: ({ socket }) => {
        const again = used.has(socket);
        used.add(socket);
        if (again) socket.destroy();
        return again;
      },
    });
    const gate = await startGate({ upstream: registry.port });
    const statuses: number[] = [];
    for (let count = 0; count < 20; count++) {
      const method = count % 2 === 0 ? "GET" : "HEAD";
      statuses.push((await send(gate.port, { ...ping, method })).status);
    }
    expect(statuses).toEqual(Array.from({ length: 20 }, () => 200));
    expect(registry.requests.length).toBeGreaterThan(20);
    expect(gate.logged()).toBe("");
  });

  test("is detected when the registry closes idle connections", async () => {
    const sockets: Socket[] = [];
    const watch: RequestHook = ({ socket }) => {
      sockets.push(socket);
      return false;
    };
    const registry = await startRegistry({ closeIdleAfter: 1, onRequest: watch });
    const gate = await startGate({ upstream: registry.port });
    for (let count = 0; count < 20; count++) {
      expect((await send(gate.port, ping)).status).toBe(200);
      // Asked again just then: the gate may not have noticed yet.
      await expect.poll(() => sockets.at(-1)?.destroyed === true, { interval: 1 }).toBe(true);
    }
  });

  test("is retried once, and not again", async () => {
    let closing = false;
    const registry = await startRegistry({
      onRequest: ({ socket }) => {
        if (closing) socket.destroy();
        return closing;
      },
    });
    const gate = await startGate({ upstream: registry.port });
    expect((await send(gate.port, ping)).status).toBe(200);
    closing = true;
    expect((await send(gate.port, ping)).status).toBe(502);
    expect(registry.requests).toHaveLength(3);
  });

  test("is not retried after a failure on a new connection", async () => {
    const registry = await startRegistry({ onRequest: closeBeforeAnswer() });
    const gate = await startGate({ upstream: registry.port });
    expect((await send(gate.port, ping)).status).toBe(502);
    expect(registry.requests).toHaveLength(1);
  });

  test.each([
    { method: "PUT", path: "/v2/team/app/manifests/v1", body: "{}" },
    { method: "POST", path: "/v2/team/app/blobs/uploads/" },
    { method: "DELETE", path: "/v2/team/app/manifests/v1" },
  ])("is not retried for $method, which is not safe to repeat", async (request) => {
    const registry = await startRegistry();
    const access = [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*" as const] }];
    const gate = await startGate({ upstream: registry.port, access });
    await send(gate.port, ping);
    registry.setFaults({ onRequest: closeBeforeAnswer() });
    expect((await send(gate.port, request)).status).toBe(502);
    expect(registry.requests.map(({ method }) => method)).toEqual(["GET", request.method]);
  });

  test("is not retried after the first byte of a response", async () => {
    const registry = await startRegistry();
    const gate = await startGate({ upstream: registry.port });
    await send(gate.port, ping);
    registry.setFaults({ onRequest: closeMidBody({ length: 1000, sent: 100 }) });
    await expect(send(gate.port, ping)).rejects.toThrow("aborted");
    expect(registry.requests).toHaveLength(2);
  });
});

describe("an unreachable registry", () => {
  test("gets the client a 502, and is logged with the reason", { timeout: 9_000 }, async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const address = probe.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    probe.close();
    await once(probe, "close");
    const gate = await startGate({ upstream: port });
    for (const request of [ping, { ...upload, body: "12345" }, { ...upload, body: zeros(mebibyte) }]) {
      const response = await send(gate.port, request);
      expect([response.status, errorCode(response)]).toEqual([502, "UNAVAILABLE"]);
      expect(response.body).not.toMatch(/127\.0\.0\.1|ECONN/);
    }
    expect(gate.logged()).toContain("the registry is unreachable");
    await expect
      .poll(() => gate.records.map(({ status, decision }) => [status, decision]))
      .toEqual(Array.from({ length: 3 }, () => [502, "allowed"]));
  });

  test("gets the client a 502 after the connect timeout", async () => {
    // It takes the connection, and never begins with TLS.
    const mute = await startRawUpstream(() => {});
    const upstream = { url: `https://127.0.0.1:${mute.port}`, connectTimeout: 50 };
    const gate = await startGate({ upstream });
    expect((await send(gate.port, ping)).status).toBe(502);
    expect(gate.logged()).toContain("no connection within 50 ms");
  });

  test.each([
    ["nothing of HTTP", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["a status that is none", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["a length beside chunks", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["a head without end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(200_000)}`],
    ["an end before the head's", "HTTP/1.1 200 OK\r\nContent-"],
  ])("that sends %s gets the client a 502", async (_, bytes) => {
    const upstream = await startRawUpstream((socket) => void socket.end(bytes));
    const gate = await startGate({ upstream: upstream.port });
    const response = await send(gate.port, ping);
    expect([response.status, errorCode(response)]).toEqual([502, "UNAVAILABLE"]);
  });
});

describe("responds at once with 502 to a head with bare line feeds on an open connection", () => {
  const responses: readonly string[] = [
    "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "HTTP/1.1 200 OK\nContent-Length: 2\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nok",
    "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 2\r\n\r\nok",
  ];

  test.each([
    ["to a read", ping],
    ["to an upload", { ...upload, body: "12345" }],
  ])("%s", async (_, request) => {
    for (const bytes of responses) {
      for (const chunks of [[bytes], [...bytes]]) {
        const upstream = await startRawUpstream(async (socket) => {
          for (const chunk of chunks) await new Promise((written) => socket.write(chunk, written));
        });
        const gate = await startGate({ upstream: upstream.port });
        const response = await send(gate.port, request);
        expect([response.status, errorCode(response)], JSON.stringify(bytes)).toEqual([502, "UNAVAILABLE"]);
      }
    }
  });
});

describe("a silent registry", () => {
  const silent = { readTimeout: 150 };

  test.each([
    ["a read", ping],
    ["an upload", { ...upload, body: "12345" }],
    ["an upload in chunks", { ...upload, body: zeros(100_000) }],
  ])("gets the client a 504: %s", async (_, request) => {
    const registry = await startRegistry({ onRequest: stallBeforeHeaders() });
    const gate = await startGate({ upstream: { url: registry.url, ...silent } });
    const response = await send(gate.port, request);
    expect([response.status, errorCode(response)]).toEqual([504, "UNAVAILABLE"]);
    expect(gate.logged()).toContain("the registry does not respond");
    // A slow registry is asked once.
    expect(registry.requests).toHaveLength(1);
  });

  test("that stops reading an upload gets the client a 504", async () => {
    const registry = await startRegistry({ onRequest: stallUpload(1000) });
    const gate = await startGate({ upstream: { url: registry.url, ...silent } });
    expect((await send(gate.port, { ...upload, body: zeros(64 * mebibyte) })).status).toBe(504);
  });

  test("in the middle of a body closes the client's connection, so that the body is incomplete", async () => {
    const registry = await startRegistry({ onRequest: stallMidBody({ length: 1000, sent: 100 }) });
    const gate = await startGate({ upstream: { url: registry.url, ...silent } });
    await expect(send(gate.port, ping)).rejects.toThrow("aborted");
  });
});

describe("a truncated body", () => {
  test.each([
    ["of known length", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbeginning"],
    ["in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nbeginning\r\n"],
    ["in the middle of a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nbeginning"],
    ["at a chunk that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nbeginning\r\nzz\r\n"],
  ])("%s is truncated for the client too, and never looks complete", async (_, bytes) => {
    const upstream = await startRawUpstream((socket) => void socket.end(bytes));
    const gate = await startGate({ upstream: upstream.port });
    const client = await connectRaw(gate.port);
    client.write(`GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\nConnection: close\r\n\r\n`);
    const received = await client.ended();
    // What is known to be broken at once may not even begin.
    expect(received).toMatch(/^$|^HTTP\/1\.1 502 |^HTTP\/1\.1 200 OK\r\n[\s\S]*beginning/);
    expect(received).not.toMatch(/beginning[\s\S]*0\r\n\r\n$/);
  });
});

describe("a response in the middle of an upload", () => {
  // The rest of the body is read, so the connection need not be cut.
  test.each([400, 403, 413])("is forwarded with its status: %d", { timeout: 9_000 }, async (status) => {
    const registry = await startRegistry({ onRequest: answerEarly({ status, after: mebibyte }) });
    const gate = await startGate({ upstream: registry.port });
    for (const headers of [{ "content-length": 20 * mebibyte }, {}]) {
      const response = await send(gate.port, { ...upload, headers, body: zeros(20 * mebibyte) });
      expect([response.status, errorCode(response)]).toEqual([status, "DENIED"]);
    }
    await expect.poll(() => gate.records.map((record) => record.status)).toEqual([status, status]);
  });

  test("does not affect the next request", async () => {
    const registry = await startRegistry({
      onRequest: onlyFor(({ method }) => method === "PATCH", atMost(1, answerEarly({ after: 10 }))),
    });
    const gate = await startGate({ upstream: registry.port });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect((await send(gate.port, { ...upload, agent, body: zeros(5 * mebibyte) })).status).toBe(403);
    expect((await send(gate.port, { ...ping, agent })).status).toBe(200);
    agent.destroy();
  });

  test("of a registry that reads on is not taken for the next response", async () => {
    const port = await startUpstream((request, response) => {
      response.end(request.url);
      request.resume();
    });
    const gate = await startGate({ upstream: port });
    const responses = await Promise.all([
      send(gate.port, { ...upload, body: zeros(5 * mebibyte) }),
      send(gate.port, ping),
      send(gate.port, { path: "/v2/team/app/tags/list" }),
    ]);
    expect(responses.map(({ body }) => body)).toEqual([upload.path, "/v2/", "/v2/team/app/tags/list"]);
  });
});

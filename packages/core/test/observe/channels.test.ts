import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { type AuthBackend, type AuthResult, BackendUnavailableError } from "@registry-gate/auth";
import type { Channel } from "@registry-gate/auth-kit";
import { describe, expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../../../test/support/certificate.ts";
import { freePort } from "../../../../test/support/free-port.ts";
import { listen } from "../../../../test/support/listen.ts";
import {
  type LoginJudged,
  limitReached,
  loginCache,
  loginJudged,
  loginThrottled,
  type RequestRecord,
  registryProxy,
  requestFinished,
  type UpstreamConnection,
  type UpstreamQueue,
  upstreamConnection,
  upstreamQueue,
} from "../../src/index.ts";
import { send } from "../middleware/client.ts";
import {
  alice,
  connectRaw,
  exchange,
  startGate,
  startRawUpstream,
  startRegistry,
  startUpstream,
} from "../middleware/servers.ts";

const blob = `/v2/team/app/blobs/sha256:${"0".repeat(64)}`;

/** Knows nobody. */
const nobody: AuthBackend = { id: "nobody", authenticate: async () => ({ status: "abstained" }) };

/** What a channel publishes until the end of the test. */
function messagesOf<Message extends object>(channel: Channel<Message>): readonly Message[] {
  const messages: Message[] = [];
  onTestFinished(channel.subscribe((message) => messages.push(message)));
  return messages;
}

describe("registry-gate:request:finished", () => {
  test("publishes the record of every request once, however it ends", async () => {
    const messages = messagesOf(requestFinished);
    const registry = await startRegistry();
    const gate = await startGate({ upstream: registry.port, cors: { origins: ["https://ui.example"] } });
    const statuses = [
      await send(gate.port, { path: "/v2/" }),
      await send(gate.port, { path: "/v2/", user: null }),
      await send(gate.port, { path: "/v2/", headers: { authorization: `Basic ${btoa("alice:wrong")}` } }),
      await send(gate.port, { path: "/v2/team/app/tags/list", method: "DELETE" }),
      await send(gate.port, { path: "/elsewhere" }),
      await send(gate.port, { path: "/v2/Not-A-Name/tags/list" }),
      await send(gate.port, { path: blob }),
      await send(gate.port, { path: "/v2/_catalog" }),
      await send(gate.port, {
        path: "/v2/_catalog",
        method: "OPTIONS",
        user: null,
        headers: { origin: "https://ui.example", "access-control-request-method": "GET" },
      }),
    ].map(({ status }) => status);
    statuses.push(Number((await exchange(gate.port, "GET /v2/ HTTP/1.1", "Host: x", "Host: y", "", "")).slice(9, 12)));
    await expect.poll(() => gate.records.length).toBe(statuses.length);

    const silent = await startRawUpstream(() => {});
    const waiting = await startGate({ upstream: silent.port });
    const client = await connectRaw(waiting.port);
    client.write(`GET ${blob} HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\n\r\n`);
    await expect.poll(() => silent.received.length).toBe(1);
    client.socket.destroy();
    await expect.poll(() => waiting.records.length).toBe(1);

    expect(new Set(statuses).size).toBeGreaterThan(4);
    expect(new Set(messages.map(({ requestId }) => requestId)).size).toBe(messages.length);
    expect(messages).toEqual([...gate.records, ...waiting.records]);
  });

  test("is published without onFinished", async () => {
    const messages = messagesOf(requestFinished);
    const upstream = await startUpstream((_, response) => void response.end("ok"));
    const proxy = registryProxy({ upstream: { url: `http://127.0.0.1:${upstream}` }, backends: [nobody] });
    onTestFinished(() => proxy.close());
    const port = await startUpstream((request, response) => proxy(request, response));
    await send(port, { path: "/v2/", user: null });
    await expect.poll(() => messages.length).toBe(1);
  });

  test("is published when onFinished throws", async () => {
    const messages = messagesOf(requestFinished);
    const upstream = await startUpstream((_, response) => void response.end("ok"));
    const failing = await startGate({
      upstream,
      onFinished: () => {
        throw new Error("of the app");
      },
    });
    await send(failing.port, { path: "/v2/" });
    await expect.poll(() => messages.length).toBe(1);
    expect(failing.logged()).toContain("of the app");
  });

  test("gives subscribers a record of their own, and the app one that it may change", async () => {
    const messages = messagesOf(requestFinished);
    const own: RequestRecord[] = [];
    const upstream = await startUpstream((_, response) => void response.end("ok"));
    const gate = await startGate({ upstream, onFinished: (record) => void own.push(record) });
    await send(gate.port, { path: "/v2/" });
    await expect.poll(() => own.length).toBe(1);
    expect(messages).toEqual(own);
    expect([Object.isFrozen(messages[0]), Object.isFrozen(own[0])]).toEqual([true, false]);
  });
});

describe("registry-gate:login:judged", () => {
  const identity = { subject: "alice", username: "alice", groups: [], backend: "last" };
  const backend = (id: string, authenticate: AuthBackend["authenticate"]): AuthBackend => ({ id, authenticate });
  const says = (id: string, result: AuthResult): AuthBackend => backend(id, async () => result);
  const fails = (id: string, error: Error): AuthBackend => backend(id, () => Promise.reject(error));

  test("publishes the result of each backend that was asked, and nothing for a cached login", async () => {
    const messages = messagesOf(loginJudged);
    const gate = await startGate({
      upstream: await startUpstream((_, response) => void response.end("ok")),
      backends: [
        says("first", { status: "abstained" }),
        says("second", { status: "rejected", reason: "wrong password" }),
        fails("third", new BackendUnavailableError("third", "is down")),
        fails("fourth", new Error("broken")),
        says("last", { status: "authenticated", identity }),
      ],
    });
    for (let round = 0; round < 2; round++) await send(gate.port, { path: "/v2/" });
    const judged = (id: string, outcome: LoginJudged["outcome"]): LoginJudged => ({
      backend: id,
      scheme: "basic",
      outcome,
      milliseconds: expect.any(Number),
    });
    expect(messages).toEqual([
      judged("first", "abstained"),
      judged("second", "rejected"),
      judged("third", "unavailable"),
      judged("fourth", "failed"),
      judged("last", "authenticated"),
    ]);
    expect(JSON.stringify(messages)).not.toMatch(/canary|alice/);
  });

  test("publishes aborted logins, and the scheme none", async () => {
    const messages = messagesOf(loginJudged);
    let waiting = false;
    const gate = await startGate({
      upstream: await startUpstream((_, response) => void response.end("ok")),
      backends: [
        backend("slow", ({ credentials, signal }) => {
          if (credentials?.scheme !== "bearer") return Promise.resolve({ status: "conflicting", reason: "two names" });
          waiting = true;
          return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        }),
      ],
    });
    await send(gate.port, { path: "/v2/", user: null });
    const client = await connectRaw(gate.port);
    client.write("GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer canary-token\r\n\r\n");
    await expect.poll(() => waiting).toBe(true);
    client.socket.destroy();
    await expect.poll(() => messages.length).toBe(2);
    expect(messages).toMatchObject([
      { backend: "slow", scheme: "none", outcome: "conflicting" },
      { backend: "slow", scheme: "bearer", outcome: "aborted" },
    ]);
    expect(JSON.stringify(messages)).not.toContain("canary");
  });
});

describe("registry-gate:upstream:connection", () => {
  /** Of one registry alone: connections of earlier tests may be closed late. */
  function connectionsTo(upstream: string): readonly UpstreamConnection[] {
    const messages: UpstreamConnection[] = [];
    onTestFinished(
      upstreamConnection.subscribe((message) => void (message.upstream === upstream && messages.push(message))),
    );
    return messages;
  }

  const upload = { method: "POST", path: "/v2/team/app/blobs/uploads/", body: "" };

  test.each([
    ["that reads", { path: blob }],
    ["that writes", upload],
  ])("publishes the opening and closing of a connection: of a request %s", async (_, request) => {
    const registry = await startRegistry();
    const upstream = `127.0.0.1:${registry.port}`;
    const messages = connectionsTo(upstream);
    const gate = await startGate({ upstream: registry.port });
    for (let round = 0; round < 2; round++) await send(gate.port, request);
    const opened: UpstreamConnection = { upstream, event: "opened", milliseconds: expect.any(Number) };
    expect(messages).toEqual([opened]);
    await gate.proxy.close();
    await expect.poll(() => messages.length).toBe(2);
    expect(messages).toEqual([opened, { ...opened, event: "closed" }]);
  });

  test.each([
    ["that reads", { path: blob }],
    ["that writes", upload],
  ])("publishes why a connection failed: for a request %s", async (_, request) => {
    const port = await freePort();
    const messages = connectionsTo(`127.0.0.1:${port}`);
    const gate = await startGate({ upstream: port });
    expect((await send(gate.port, request)).status).toBe(502);
    await expect.poll(() => messages.length).toBe(1);
    expect(messages).toMatchObject([{ upstream: `127.0.0.1:${port}`, event: "failed", code: "ECONNREFUSED" }]);
  });

  test("publishes a connection as opened after the TLS handshake, and the code of a certificate error", async () => {
    const files = await makeCertificate();
    const server = createServer(
      { key: await readFile(files.key), cert: await readFile(files.certificate) },
      (_, response) => response.end("ok"),
    );
    const url = `https://127.0.0.1:${await listen(server)}`;
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    const messages = connectionsTo(new URL(url).host);
    const trusting = await startGate({ upstream: { url, ca: await readFile(files.authority, "utf8") } });
    await send(trusting.port, { path: blob });
    const other = await startGate({ upstream: { url } });
    await send(other.port, { path: blob });
    await expect.poll(() => messages.some(({ event }) => event === "failed")).toBe(true);
    expect(messages[0]).toMatchObject({ event: "opened" });
    const failed = messages.find(({ event }) => event === "failed");
    expect(failed).toMatchObject({ code: expect.stringMatching(/^(?:[A-Z]+_)+[A-Z]+$/) });
  });
});

test("registry-gate:upstream:queue publishes requests that wait for a connection, and that they got one", async () => {
  const messages = messagesOf(upstreamQueue);
  const upstream = await startRawUpstream(() => {});
  const gate = await startGate({ upstream: { url: `http://127.0.0.1:${upstream.port}`, maxConnections: 1 } });
  const sent = [send(gate.port, { path: blob, user: "bob" })];
  await expect.poll(() => upstream.received.length).toBe(1);
  sent.push(send(gate.port, { path: blob, user: "carol" }));
  await expect.poll(() => messages.length).toBe(1);
  const end = (index: number) => upstream.sockets[index]?.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  end(0);
  await expect.poll(() => upstream.received.length).toBe(2);
  end(1);
  expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([200, 200]);
  const common = { upstream: `127.0.0.1:${upstream.port}`, queue: "ordinary", inUse: 1 } as const;
  const expected: UpstreamQueue[] = [
    { ...common, event: "waiting", waiting: 1 },
    { ...common, event: "granted", waiting: 0, milliseconds: expect.any(Number) },
  ];
  expect(messages).toEqual(expected);
});

describe("registry-gate:login:cache", () => {
  test("publishes whether a login was cached, being checked, or new, and how many are cached", async () => {
    const messages = messagesOf(loginCache);
    const registry = await startRegistry();
    const gate = await startGate({ upstream: registry.port });
    await Promise.all([send(gate.port, { path: "/v2/" }), send(gate.port, { path: "/v2/" })]);
    await send(gate.port, { path: "/v2/" });
    await send(gate.port, { path: "/v2/", user: null });
    expect(messages.map(({ event }) => event)).toEqual(["miss", expect.stringMatching(/^(?:shared|hit)$/), "hit"]);
    expect(messages.at(-1)?.entries).toBe(1);
  });
});

describe("registry-gate:login:throttled", () => {
  test("publishes whose failures were too many", async () => {
    const messages = messagesOf(loginThrottled);
    const registry = await startRegistry();
    const gate = await startGate({
      upstream: registry.port,
      throttle: { perUserAndAddress: "1/1m", perAddress: "2/1m" },
    });
    const wrong = (name: string) => ({ authorization: `Basic ${btoa(`${name}:wrong`)}` });
    for (const name of ["alice", "alice", "bob", "carol"]) {
      await send(gate.port, { path: "/v2/", headers: wrong(name) });
    }
    expect(messages).toEqual([{ limit: "user" }, { limit: "address" }]);
  });
});

describe("registry-gate:limit:reached", () => {
  test("publishes which limit ended a request", async () => {
    const messages = messagesOf(limitReached);
    let arrived = 0;
    const upstream = await startUpstream(() => void arrived++);
    for (const limits of [{ inFlight: 1 }, { inFlightPerClient: 1 }]) {
      arrived = 0;
      const gate = await startGate({ upstream, limits });
      void send(gate.port, { path: blob }).catch(() => {});
      await expect.poll(() => arrived).toBe(1);
      await send(gate.port, { path: blob });
    }
    expect(messages).toEqual([{ limit: "inFlight" }, { limit: "inFlightPerClient" }]);
  });
});

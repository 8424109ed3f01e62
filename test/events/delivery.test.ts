import { createHash, createHmac } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { basic } from "../support/basic.ts";
import { type EventReceiver, type ReceivedEvent, startEventReceiver } from "../support/event-receiver.ts";
import { freePort } from "../support/free-port.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { manifestType } from "../support/registry-content.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

/** Long, because a machine under load is slow. */
const timeout = { timeout: 45_000 };
const headers = { ...basic("alice", "alice-password"), "Content-Type": manifestType };

let registry: ScriptedUpstream;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-events-"));
  registry = await startUpstream(async (request, response) => {
    const hash = createHash("sha256");
    for await (const chunk of request) hash.update(chunk);
    if (request.method !== "PUT") return void response.writeHead(202).end();
    response.writeHead(201, { "Docker-Content-Digest": `sha256:${hash.digest("hex")}` }).end();
  });
});

afterEach(async () => {
  await registry.close();
  await rm(directory, { recursive: true, force: true });
});

async function receiver(port?: number): Promise<EventReceiver> {
  const started = await startEventReceiver({ ...(port !== undefined && { port }) });
  onTestFinished(() => started.close());
  return started;
}

const configuration = (...events: object[]): object => ({
  listen: { address: "127.0.0.1:0" },
  upstream: { url: registry.url },
  auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
  access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*"] }],
  events: events.map((each) => ({ secretFile: "secret", queueFile: join(directory, "events.db"), ...each })),
});

/** All gates of a test have one queue. */
async function start(...events: object[]): Promise<RunningGate> {
  const gate = await startGate({
    configuration: configuration(...events),
    files: { htpasswd: await passwordFile({ alice: "alice-password" }), secret: "a secret of the receiver\n" },
  });
  onTestFinished(() => gate.close());
  return gate;
}

async function push(gate: RunningGate, ...tags: readonly string[]): Promise<void> {
  for (const tag of tags) {
    const response = await fetch(`${gate.url}/v2/team/app/manifests/${tag}`, { method: "PUT", headers, body: tag });
    expect(response.status).toBe(201);
  }
}

const eventsOf = ({ received }: EventReceiver): readonly ReceivedEvent[] => received.flatMap(({ events }) => events);
const tagsOf = (endpoint: EventReceiver): readonly unknown[] => eventsOf(endpoint).map(({ target }) => target.tag);

describe("an endpoint that fails", () => {
  test.each([
    ["responds with 500", "status 500"],
    ["resets the connection", "ECONNRESET"],
    ["does not respond", "no response within 1000 ms"],
    ["redirects", "status 302"],
  ] as const)("gets the same notification again, in order, where it %s", async (how, reason) => {
    const elsewhere = await receiver();
    const endpoint = await receiver();
    endpoint.respond((response) => {
      if (how === "responds with 500") response.writeHead(500).end("x".repeat(100_000));
      else if (how === "redirects") response.writeHead(302, { Location: elsewhere.url }).end();
      else if (how === "resets the connection") response.socket?.resetAndDestroy();
    });
    const gate = await start({ url: endpoint.url, timeout: "1s" });
    // No push waits for it.
    await push(gate, "a", "b", "c");
    expect(await gate.logged(({ event }) => event === "notification failed")).toMatchObject({
      level: "warn",
      reason,
      endpoint: new URL(endpoint.url).host,
    });
    endpoint.respond((response) => void response.end());
    await vi.waitUntil(() => tagsOf(endpoint).at(-1) === "c", timeout);
    const failed = endpoint.received.length - 3;
    expect(failed).toBeGreaterThan(0);
    expect(tagsOf(endpoint)).toEqual([...Array.from({ length: failed + 1 }, () => "a"), "b", "c"]);
    expect(new Set(eventsOf(endpoint).map(({ id }) => id)).size).toBe(3);
    expect(new Set(endpoint.received.map(({ body }) => body)).size).toBe(3);
    await gate.logged(({ event }) => event === "notification delivered");
    expect(elsewhere.received).toEqual([]);
  });

  test("is given the time that it asks for", async () => {
    const endpoint = await receiver();
    let refused = 0;
    endpoint.respond((response) => {
      if (refused++ > 0) response.end();
      else response.writeHead(429, { "Retry-After": "3" }).end();
    });
    const gate = await start({ url: endpoint.url });
    await push(gate, "a");
    await vi.waitUntil(() => endpoint.received.length === 2, timeout);
    const [first, second] = endpoint.received;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(2990);
  });

  test("does not get again what it has refused five times, but the next one", async () => {
    const endpoint = await receiver();
    endpoint.respond((response, { events }) => {
      response.writeHead(events[0]?.target.tag === "bad" ? 404 : 200).end();
    });
    const gate = await start({ url: endpoint.url });
    await push(gate, "bad", "good");
    await vi.waitUntil(() => tagsOf(endpoint).includes("good"), timeout);
    expect(tagsOf(endpoint)).toEqual(["bad", "bad", "bad", "bad", "bad", "good"]);
    const { id } = await gate.logged(({ event }) => event === "notification given up");
    expect(id).toBe(eventsOf(endpoint)[0]?.id);
  });

  test("delays no other one", async () => {
    const [dead, alive] = [await receiver(), await receiver()];
    dead.respond(() => {});
    const gate = await start({ url: dead.url }, { url: alive.url });
    await push(gate, "a", "b");
    await vi.waitUntil(() => tagsOf(alive).length === 2, timeout);
    expect(tagsOf(dead)).toEqual(["a"]);
  });

  test("costs the oldest notifications where more wait than may, and the log counts them", async () => {
    const port = await freePort();
    const gate = await start({ url: `http://127.0.0.1:${port}/hook`, maxQueued: 2 });
    await push(gate, "a", "b", "c", "d");
    expect(await gate.logged(({ event }) => event === "notifications dropped")).toMatchObject({
      level: "error",
      count: 1,
    });
    const endpoint = await receiver(port);
    await vi.waitUntil(() => tagsOf(endpoint).length === 2, timeout);
    expect(tagsOf(endpoint)).toEqual(["c", "d"]);
  });
});

test("a queue that cannot be used costs its notifications, which the log counts, and no push", async () => {
  const endpoint = await receiver();
  const gate = await start({ url: endpoint.url });
  const other = new DatabaseSync(join(directory, "events.db"));
  other.exec("BEGIN EXCLUSIVE");
  await push(gate, "lost");
  expect(await gate.logged(({ event }) => event === "notifications dropped")).toMatchObject({
    level: "error",
    count: 1,
    reason: expect.stringContaining("another process has locked it for too long"),
  });
  other.exec("ROLLBACK");
  other.close();
  await push(gate, "a");
  await vi.waitUntil(() => tagsOf(endpoint).length === 1, timeout);
  expect(tagsOf(endpoint)).toEqual(["a"]);
});

describe("a notification that waits", () => {
  test("outlives the gate, killed at once after the push", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/hook`;
    const gate = await start({ url });
    await push(gate, "a", "b", "c");
    gate.kill("SIGKILL");
    await gate.ended;
    const endpoint = await receiver(port);
    const next = await start({ url });
    await vi.waitUntil(() => tagsOf(endpoint).length === 3, timeout);
    await push(next, "d");
    await vi.waitUntil(() => tagsOf(endpoint).length === 4, timeout);
    expect(tagsOf(endpoint)).toEqual(["a", "b", "c", "d"]);
    expect(new Set(eventsOf(endpoint).map(({ id }) => id)).size).toBe(4);
  });

  test("is sent again where the gate is killed before the response, with the same id", async () => {
    const endpoint = await receiver();
    endpoint.respond(() => {});
    const gate = await start({ url: endpoint.url });
    await push(gate, "a");
    await vi.waitUntil(() => endpoint.received.length === 1, timeout);
    gate.kill("SIGKILL");
    await gate.ended;
    endpoint.respond((response) => void response.end());
    await start({ url: endpoint.url });
    await vi.waitUntil(() => endpoint.received.length === 2, timeout);
    expect(endpoint.received[1]?.body).toBe(endpoint.received[0]?.body);
  });

  test("outlives a reload, and goes to an endpoint that comes back", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/hook`;
    const gate = await start({ url });
    const reload = async (...events: object[]): Promise<void> => {
      const count = (): number => gate.lines().filter(({ event }) => event === "reloaded").length;
      const before = count();
      await gate.configure(configuration(...events));
      await vi.waitUntil(() => count() > before, timeout);
    };
    await push(gate, "a");
    await reload();
    await push(gate, "unseen");
    await reload({ url });
    await push(gate, "b");
    const endpoint = await receiver(port);
    await vi.waitUntil(() => tagsOf(endpoint).length === 2, timeout);
    expect(tagsOf(endpoint)).toEqual(["a", "b"]);
  });
});

describe("a notification", () => {
  test("is signed with the secret of now", async () => {
    const endpoint = await receiver();
    const gate = await start({ url: endpoint.url });
    const signedWith = (secret: string, index: number): void => {
      const { headers: received, body = "" } = endpoint.received[index] ?? {};
      const signature = createHmac("sha256", secret).update(body).digest("hex");
      expect(received?.["x-registry-gate-signature"]).toBe(`sha256=${signature}`);
    };
    await push(gate, "a");
    await vi.waitUntil(() => endpoint.received.length === 1, timeout);
    signedWith("a secret of the receiver", 0);
    await gate.put("secret", "another secret of it\n");
    await gate.logged(({ msg }) => msg === "the file was reloaded");
    await push(gate, "b");
    await vi.waitUntil(() => endpoint.received.length === 2, timeout);
    signedWith("another secret of it", 1);
  });

  test("is sent of what is asked for alone, and only where the registry has done it", async () => {
    const [deletes, pushes] = [await receiver(), await receiver()];
    const gate = await start({ url: deletes.url, on: ["delete"] }, { url: pushes.url, on: ["push"] });
    await push(gate, "a");
    const digest = `sha256:${"0".repeat(64)}`;
    const remove = (login: object) =>
      fetch(`${gate.url}/v2/team/app/manifests/${digest}`, { method: "DELETE", headers: { ...login } });
    expect((await remove(basic("alice", "wrong"))).status).toBe(401);
    expect((await remove(headers)).status).toBe(202);
    await registry.close();
    expect((await remove(headers)).status).toBe(502);
    await vi.waitUntil(() => deletes.received.length === 1 && pushes.received.length === 1, timeout);
    expect(eventsOf(deletes)).toMatchObject([{ action: "delete", actor: { name: "alice" }, target: { digest } }]);
    expect(eventsOf(pushes)).toMatchObject([{ action: "push" }]);
  });
});

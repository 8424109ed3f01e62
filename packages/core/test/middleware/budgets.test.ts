import { describe, expect, test } from "vitest";
import { type AccessRule, upstreamQueue } from "../../src/index.ts";
import { errorCode, type Sent, send } from "./client.ts";
import { startGate, startRawUpstream, startUpstream } from "./servers.ts";

const blob = `/v2/team/app/blobs/sha256:${"0".repeat(64)}`;
const as = (user: string) => ({ path: blob, user });

/** A registry that responds when the test lets it. */
async function startHeld() {
  const held: (() => void)[] = [];
  const port = await startUpstream((_, response) => void held.push(() => void response.end("ok")));
  return {
    port,
    held,
    release(): void {
      for (const respond of held.splice(0)) respond();
    },
  };
}

describe("requests in flight", () => {
  test("of one user are limited, and others are served", async () => {
    const registry = await startHeld();
    const gate = await startGate({ upstream: registry.port, limits: { inFlightPerClient: 3 } });
    const first = Array.from({ length: 3 }, () => send(gate.port, as("bob")));
    await expect.poll(() => registry.held.length).toBe(3);
    const refused = await send(gate.port, as("bob"));
    expect([refused.status, errorCode(refused)]).toEqual([429, "TOOMANYREQUESTS"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    const other = send(gate.port, as("carol"));
    await expect.poll(() => registry.held.length).toBe(4);
    registry.release();
    expect((await Promise.all([...first, other])).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    // A place that was left can be taken again.
    const again = send(gate.port, as("bob"));
    await expect.poll(() => registry.held.length).toBe(1);
    registry.release();
    expect((await again).status).toBe(200);
    expect(gate.records.filter(({ decision }) => decision === "throttled")).toMatchObject([
      { status: 429, username: "bob", outcome: "completed", phase: "authenticate" },
    ]);
  });

  test("without a user are limited by address", async () => {
    const registry = await startHeld();
    const access = [{ subjects: ["anonymous"], repositories: ["**"], actions: ["pull" as const] }];
    const gate = await startGate({
      upstream: registry.port,
      access,
      limits: { inFlightPerClient: 2 },
      trustedProxies: ["127.0.0.1"],
    });
    const from = (address: string) => ({ path: blob, user: null, headers: { "x-forwarded-for": address } });
    const first = [send(gate.port, from("2001:db8::1")), send(gate.port, from("2001:db8::ffff:2"))];
    await expect.poll(() => registry.held.length).toBe(2);
    expect((await send(gate.port, from("2001:db8::3"))).status).toBe(429);
    const other = [send(gate.port, from("2001:db8:0:1::3")), send(gate.port, from("192.0.2.1"))];
    await expect.poll(() => registry.held.length).toBe(4);
    registry.release();
    for (const response of await Promise.all([...first, ...other])) expect(response.status).toBe(200);
  });

  test("in all are limited with 503", async () => {
    const registry = await startHeld();
    const gate = await startGate({ upstream: registry.port, limits: { inFlight: 2 } });
    const first = [send(gate.port, as("bob")), send(gate.port, as("carol"))];
    await expect.poll(() => registry.held.length).toBe(2);
    const refused = await send(gate.port, as("dave"));
    expect([refused.status, errorCode(refused)]).toEqual([503, "UNAVAILABLE"]);
    expect(refused.headers).toHaveProperty("retry-after");
    registry.release();
    await Promise.all(first);
    expect(gate.records.find(({ status }) => status === 503)).toMatchObject({ decision: "unavailable" });
  });
});

describe("connections to the registry", () => {
  test("never exceed the maximum, and waiting requests get them in turn", async () => {
    const upstream = await startRawUpstream(() => {});
    const gate = await startGate({ upstream: { url: `http://127.0.0.1:${upstream.port}`, maxConnections: 4 } });
    let queued = 0;
    const host = `127.0.0.1:${upstream.port}`;
    const unsubscribe = upstreamQueue.subscribe((event) => {
      if (event.upstream === host && event.event === "waiting") queued++;
    });
    const waiting = Array.from({ length: 20 }, () => send(gate.port, as("bob")));
    await expect.poll(() => upstream.received.filter((text) => text.includes("GET")).length).toBe(4);
    await expect.poll(() => queued).toBe(16);
    const carol = send(gate.port, as("carol"));
    // From here on it is her turn that counts, and not how long she took to come.
    await expect.poll(() => queued).toBe(17);
    unsubscribe();
    const order: string[] = [];
    void carol.then(() => order.push("carol"));
    for (const [index, request] of waiting.entries()) void request.then(() => order.push(`bob ${index}`));
    // Each connection is answered as soon as it has a request.
    const answered = new Map<number, number>();
    const timer = setInterval(() => {
      for (const [index, socket] of upstream.sockets.entries()) {
        const asked = upstream.received[index]?.match(/^GET /gm)?.length ?? 0;
        if (asked > (answered.get(index) ?? 0)) {
          answered.set(index, asked);
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
      }
    }, 2);
    await Promise.all([...waiting, carol]);
    clearInterval(timer);
    expect(order.indexOf("carol")).toBeLessThan(12);
    // One was closed to make place for carol's own.
    expect(upstream.sockets.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(4);
  });

  test.each<[what: string, busy: Sent, other: Sent, access: AccessRule]>([
    [
      "what the gate asks for one user keeps nobody else's questions waiting",
      { path: "/v2/_catalog", user: "bob" },
      { method: "PUT", path: "/v2/team/app/manifests/v1", user: "carol", body: "{}" },
      { subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull", "push"], immutableTags: ["v*"] },
    ],
    [
      "one address keeps no other's requests without a user waiting",
      { path: blob, user: null, headers: { "x-forwarded-for": "192.0.2.1" } },
      { path: blob, user: null, headers: { "x-forwarded-for": "192.0.2.2" } },
      { subjects: ["anonymous"], repositories: ["**"], actions: ["pull"] },
    ],
  ])("are given in turn: %s", async (_, busy, other, access) => {
    const registry = await startHeld();
    const gate = await startGate({
      upstream: { url: `http://127.0.0.1:${registry.port}`, maxConnections: 2 },
      access: [access],
      trustedProxies: ["127.0.0.1"],
    });
    const order: string[] = [];
    const crowd = Array.from({ length: 20 }, () => send(gate.port, busy).then(() => order.push("busy")));
    await expect.poll(() => registry.held.length).toBe(2);
    const asked = send(gate.port, other).then(() => order.push("other"));
    const timer = setInterval(registry.release, 2);
    await Promise.all([...crowd, asked]);
    clearInterval(timer);
    expect(order.indexOf("other")).toBeLessThan(12);
  });

  test("are kept for as many users in turn as there may be connections", async () => {
    const upstream = await startRawUpstream();
    const gate = await startGate({ upstream: { url: `http://127.0.0.1:${upstream.port}`, maxConnections: 270 } });
    for (let turn = 0; turn < 2; turn++) {
      for (let user = 0; user < 270; user++) {
        expect((await send(gate.port, as(`user-${user}`))).status).toBe(200);
      }
    }
    expect(upstream.sockets).toHaveLength(270);
  });

  test("are closed when idle to make room for other users, for reads and writes together", async () => {
    const upstream = await startRawUpstream();
    const access = [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*" as const] }];
    const gate = await startGate({
      upstream: { url: `http://127.0.0.1:${upstream.port}`, maxConnections: 3 },
      access,
    });
    let most = 0;
    for (let count = 0; count < 30; count++) {
      const user = as(`user-${count % 7}`);
      await send(gate.port, { ...user, method: count % 2 === 0 ? "GET" : "DELETE" });
      most = Math.max(most, upstream.sockets.filter(({ readableEnded }) => !readableEnded).length);
      expect((await send(gate.port, user)).status).toBe(200);
    }
    await expect.poll(() => upstream.sockets.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(3);
    expect(most).toBeLessThanOrEqual(4);
  });
});

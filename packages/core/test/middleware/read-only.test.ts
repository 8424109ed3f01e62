import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { createReadOnlySwitch } from "../../src/index.ts";
import { errorCode, send } from "./client.ts";
import { startGate, startUpstream } from "./servers.ts";

const digest = `sha256:${"0".repeat(64)}`;
const repository = "/v2/team/app";
const upload = `${repository}/blobs/uploads/1`;

const writes = [
  { method: "POST", path: `${repository}/blobs/uploads/` },
  { method: "POST", path: `${repository}/blobs/uploads/?mount=${digest}&from=team/base` },
  { method: "POST", path: `${repository}/blobs/uploads/?digest=${digest}`, body: "blob" },
  { method: "PATCH", path: upload, body: "chunk" },
  { method: "PUT", path: `${upload}?digest=${digest}`, body: "chunk" },
  { method: "DELETE", path: upload },
  { method: "PUT", path: `${repository}/manifests/v1`, body: "{}" },
  { method: "DELETE", path: `${repository}/manifests/${digest}` },
  { method: "DELETE", path: `${repository}/manifests/v1` },
  { method: "DELETE", path: `${repository}/blobs/${digest}` },
];

const reads = [
  { path: "/v2/" },
  { path: "/v2/_catalog" },
  { path: `${repository}/tags/list` },
  { path: `${repository}/manifests/v1` },
  { method: "HEAD", path: `${repository}/blobs/${digest}` },
  { path: `${repository}/referrers/${digest}` },
  { path: upload },
];

/** Alice may do everything, and others may pull. */
const access = [
  { subjects: ["user:alice"], repositories: ["**"], actions: ["*" as const] },
  { subjects: ["authenticated"], repositories: ["**"], actions: ["pull" as const] },
];

async function startHeld() {
  const heard: IncomingMessage[] = [];
  const held: ServerResponse[] = [];
  let holding = false;
  const port = await startUpstream((request, response) => {
    heard.push(request);
    request.resume();
    if (holding) held.push(response);
    else response.writeHead(200, { "Content-Type": "application/json" }).end('{"repositories":[]}');
  });
  return {
    port,
    heard,
    held,
    hold(): void {
      holding = true;
    },
  };
}

describe("while the registry is read-only", () => {
  test("a write gets 503 with words and Retry-After, and the registry hears nothing of it", async () => {
    const registry = await startHeld();
    const readOnly = createReadOnlySwitch();
    const gate = await startGate({ upstream: registry.port, access, readOnly });
    readOnly.set(true);
    for (const write of writes) {
      const response = await send(gate.port, write);
      expect([response.status, errorCode(response)], JSON.stringify(write)).toEqual([503, "UNAVAILABLE"]);
      expect(response.body).toContain("the registry is read-only for maintenance");
      expect(Number(response.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    }
    expect(registry.heard).toEqual([]);
    expect(readOnly.writesInFlight).toBe(0);
    await expect.poll(() => gate.records.length).toBe(writes.length);
    for (const record of gate.records) {
      expect(record).toMatchObject({
        decision: "unavailable",
        reason: "read-only for maintenance",
        outcome: "completed",
        username: "alice",
      });
    }
    readOnly.set(false);
    for (const write of writes) expect((await send(gate.port, write)).status, JSON.stringify(write)).toBe(200);
  });

  test("everything that reads goes on", async () => {
    const registry = await startHeld();
    const readOnly = createReadOnlySwitch();
    const gate = await startGate({ upstream: registry.port, access, readOnly });
    readOnly.set(true);
    for (const read of reads) expect((await send(gate.port, read)).status, read.path).toBe(200);
    expect(readOnly.writesInFlight).toBe(0);
  });

  test("those who may not write learn just that, as ever", async () => {
    const registry = await startHeld();
    const readOnly = createReadOnlySwitch();
    const gate = await startGate({ upstream: registry.port, access, readOnly });
    readOnly.set(true);
    for (const write of writes) {
      expect((await send(gate.port, { ...write, user: "bob" })).status, JSON.stringify(write)).toBe(403);
      expect((await send(gate.port, { ...write, user: null })).status, JSON.stringify(write)).toBe(401);
    }
  });

  test("the body of a refused upload is not asked for", async () => {
    const registry = await startHeld();
    const readOnly = createReadOnlySwitch();
    const gate = await startGate({ upstream: registry.port, access, readOnly });
    readOnly.set(true);
    const expecting = await send(gate.port, {
      method: "PATCH",
      path: upload,
      headers: { expect: "100-continue", "content-length": `${2 ** 20}` },
      body: "a body that is too short",
    });
    expect(expecting).toMatchObject({ status: 503, headers: { connection: "close" } });
    expect(registry.heard).toEqual([]);
  });
});

describe("writes in flight", () => {
  test("that were admitted before go on, are counted, and their end is known", async () => {
    const registry = await startHeld();
    const readOnly = createReadOnlySwitch();
    const gate = await startGate({ upstream: registry.port, access, readOnly });
    registry.hold();
    const first = send(gate.port, { method: "PATCH", path: upload, body: "chunk" });
    const second = send(gate.port, { method: "PUT", path: `${repository}/manifests/v1`, body: "{}" });
    await expect.poll(() => registry.held.length).toBe(2);
    readOnly.set(true);
    expect(readOnly.writesInFlight).toBe(2);
    let over = false;
    const ended = readOnly.writesEnded().then(() => {
      over = true;
    });
    expect((await send(gate.port, { method: "PATCH", path: upload, body: "chunk" })).status).toBe(503);
    registry.held[0]?.end();
    expect((await first).status).toBe(200);
    await expect.poll(() => readOnly.writesInFlight).toBe(1);
    expect(over).toBe(false);
    registry.held[1]?.end();
    expect((await second).status).toBe(200);
    await ended;
    expect(readOnly.writesInFlight).toBe(0);
  });

  test("end with their client", async () => {
    const registry = await startHeld();
    const readOnly = createReadOnlySwitch();
    const gate = await startGate({ upstream: registry.port, access, readOnly });
    registry.hold();
    const leaving = new AbortController();
    const request = fetch(`${gate.url}${upload}`, {
      method: "PATCH",
      headers: { "x-test-user": "alice" },
      signal: leaving.signal,
    });
    await expect.poll(() => registry.held.length).toBe(1);
    readOnly.set(true);
    const ended = readOnly.writesEnded();
    leaving.abort();
    await expect(request).rejects.toThrow();
    await ended;
    expect(readOnly.writesInFlight).toBe(0);
  });
});

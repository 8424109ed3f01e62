import { describe, expect, test, vi } from "vitest";
import type { RequestRecord, WriteObserver } from "../../src/index.ts";
import { send } from "./client.ts";
import { alice, connectRaw, startGate, startRegistry, startUpstream, type TestGate } from "./servers.ts";

const digest = `sha256:${"0".repeat(64)}`;
const put = {
  method: "PUT",
  path: "/v2/team/app/manifests/v1",
  headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" },
  body: "{}",
};
const remove = { method: "DELETE", path: `/v2/team/app/manifests/${digest}` };
const pull = { path: "/v2/team/app/manifests/v1" };

/** A registry that accepts everything, and counts. */
async function acceptingUpstream(body = ""): Promise<{ port: number; requests: string[] }> {
  const requests: string[] = [];
  const port = await startUpstream((request, response) => {
    request.resume().on("end", () => {
      requests.push(`${request.method} ${request.url}`);
      response.writeHead(request.method === "GET" ? 200 : 201, { "Docker-Content-Digest": digest });
      response.end(body);
    });
  });
  return { port, requests };
}

interface Observed {
  readonly observer: WriteObserver;
  readonly records: RequestRecord[];
  release(): void;
  fail(error: Error): void;
}

function observed(): Observed {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {});
  const records: RequestRecord[] = [];
  const observer: WriteObserver = {
    refusal: () => undefined,
    responded(record) {
      records.push(record);
      return promise;
    },
  };
  return { observer, records, release: () => resolve(), fail: reject };
}

async function finished(gate: TestGate): Promise<RequestRecord> {
  const record = await vi.waitUntil(() => gate.records[0], { timeout: 30_000 });
  return record;
}

describe("an observer of writes", () => {
  test.each([put, remove])("gets the record before the client gets the response: $method", async (request) => {
    const upstream = await acceptingUpstream("x".repeat(100_000));
    const { observer, records, release } = observed();
    const gate = await startGate({
      upstream: upstream.port,
      access: [{ subjects: ["user:alice"], repositories: ["**"], actions: ["*"] }],
      writes: observer,
    });
    const response = send(gate.port, { ...request, headers: put.headers });
    let ended = false;
    void response.then(() => {
      ended = true;
    });
    await expect.poll(() => records.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ended).toBe(false);
    expect(records[0]).toMatchObject({
      status: 201,
      outcome: "completed",
      decision: "allowed",
      rule: 0,
      digest,
      announced: true,
    });
    release();
    expect(await response).toMatchObject({ status: 201, body: "x".repeat(100_000) });
    expect(await finished(gate)).toMatchObject({ status: 201, outcome: "completed", announced: true });
    expect(records).toHaveLength(1);
  });

  test("is not told of reads, of refused writes, or of writes that the registry has not responded to", async () => {
    const { observer, records } = observed();
    const upstream = await acceptingUpstream();
    const gate = await startGate({ upstream: upstream.port, writes: observer });
    expect(await send(gate.port, pull)).toMatchObject({ status: 200 });
    expect(await send(gate.port, remove)).toMatchObject({ status: 403 });
    expect(await send(gate.port, { ...put, user: null })).toMatchObject({ status: 401 });
    const silent = await startGate({ upstream: 1, writes: observer });
    expect(await send(silent.port, put)).toMatchObject({ status: 502 });
    expect(records).toEqual([]);
    expect(await finished(silent)).toMatchObject({ status: 502, announced: false });
  });

  test("turns the response into 503 where it fails", async () => {
    const upstream = await acceptingUpstream();
    const { observer, fail } = observed();
    const gate = await startGate({ upstream: upstream.port, writes: observer });
    fail(new Error("no room"));
    const response = await send(gate.port, put);
    expect(response).toMatchObject({ status: 503 });
    expect(response.body).toContain("writes cannot be recorded");
    expect(response.headers["retry-after"]).toBe("5");
    expect(await finished(gate)).toMatchObject({
      status: 503,
      decision: "unavailable",
      reason: "no room",
      announced: true,
    });
  });

  test("refuses writes before the registry sees them, and no reads", async () => {
    const upstream = await acceptingUpstream();
    const gate = await startGate({
      upstream: upstream.port,
      writes: { refusal: () => "the disk is full", responded: () => undefined },
    });
    const { headers } = put;
    const uploads = { method: "POST", path: "/v2/team/app/blobs/uploads/" };
    for (const request of [put, uploads]) {
      expect(await send(gate.port, { ...request, headers })).toMatchObject({ status: 503 });
    }
    expect(await send(gate.port, { ...pull })).toMatchObject({ status: 200 });
    expect(upstream.requests).toEqual(["GET /v2/team/app/manifests/v1"]);
    expect(await finished(gate)).toMatchObject({ decision: "unavailable", reason: "the disk is full" });
  });

  test("may let the response go at once", async () => {
    const upstream = await acceptingUpstream();
    const gate = await startGate({
      upstream: upstream.port,
      writes: { refusal: () => undefined, responded: () => undefined },
    });
    const response = await send(gate.port, put);
    expect(response).toMatchObject({ status: 201 });
  });

  test("keeps nothing of a client that leaves while the response waits", async () => {
    const upstream = await acceptingUpstream("x".repeat(1_000_000));
    const { observer, records, release } = observed();
    const gate = await startGate({ upstream: upstream.port, writes: observer });
    const client = await connectRaw(gate.port);
    const head = `Host: x\r\nAuthorization: ${alice}\r\nContent-Type: ${put.headers["content-type"]}\r\nContent-Length: 2\r\n\r\n`;
    client.write(`PUT ${put.path} HTTP/1.1\r\n${head}{}`);
    await expect.poll(() => records.length).toBe(1);
    client.socket.destroy();
    expect(await finished(gate)).toMatchObject({ status: 499, outcome: "client-aborted", announced: true });
    release();
    expect(await send(gate.port, { ...pull })).toMatchObject({ status: 200 });
    expect(gate.logged()).not.toContain("internal error");
  });

  test("must have both methods", async () => {
    const writes = { responded: () => undefined };
    // @ts-expect-error one is missing
    await expect(startGate({ upstream: 1, writes })).rejects.toThrow("must have the methods refusal and responded");
  });
});

describe("the record of a request", () => {
  const access = [
    { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
    { subjects: ["group:dev"], repositories: ["team/**"], actions: ["pull", "push"] },
    { subjects: ["user:alice"], repositories: ["team/secret"], actions: ["*"], effect: "deny" },
  ] as const;

  test.each([
    { ...pull, rule: 0 },
    { ...put, rule: 1 },
    { ...put, path: "/v2/team/secret/manifests/v1", rule: 2 },
    { ...put, path: "/v2/other/manifests/v1", rule: undefined },
  ])("names the rule that decided: $path $rule", async ({ rule, ...request }) => {
    const gate = await startGate({ upstream: (await acceptingUpstream()).port, access });
    await send(gate.port, { ...request, headers: put.headers });
    expect(await finished(gate)).toMatchObject({ rule });
  });

  test("has the agent, escaped and not longer than 256 characters", async () => {
    const gate = await startGate({ upstream: (await acceptingUpstream()).port });
    await send(gate.port, { ...pull, headers: { "user-agent": "docker/28\u00ad.0\t" } });
    expect(await finished(gate)).toMatchObject({ agent: "docker/28\\u{ad}.0" });
    const long = await startGate({ upstream: (await acceptingUpstream()).port });
    await send(long.port, { ...pull, headers: { "user-agent": "x".repeat(1000) } });
    expect(await finished(long)).toMatchObject({ agent: "x".repeat(256) });
  });

  test("has the digest that the registry names, or that of the reference, and further tags", async () => {
    const registry = await startRegistry();
    const gate = await startGate({ upstream: registry.port });
    await send(gate.port, { path: `/v2/team/app/blobs/${digest}` });
    expect(await finished(gate)).toMatchObject({ status: 404, digest });
    const accepting = await startGate({ upstream: (await acceptingUpstream()).port });
    await send(accepting.port, {
      ...put,
      path: `/v2/team/app/manifests/${digest}?tag=a&tag=b`,
    });
    expect(await finished(accepting)).toMatchObject({ digest, tags: ["a", "b"] });
  });

  test("tells credentials that are wrong from none", async () => {
    const wrong = `Basic ${Buffer.from("alice:no").toString("base64")}`;
    for (const [headers, loginRejected] of [
      [{ authorization: wrong }, true],
      [{}, false],
    ] as const) {
      const gate = await startGate({ upstream: 1 });
      expect(await send(gate.port, { ...pull, user: null, headers })).toMatchObject({ status: 401 });
      expect(await finished(gate)).toMatchObject({ loginRejected, decision: "unauthenticated" });
    }
  });
});

import { type AuthBackend, BackendUnavailableError } from "@registry-gate/auth";
import { closeMidBody, stallBeforeHeaders, stallMidBody } from "@registry-gate/embedded-registry";
import { describe, expect, test, vi } from "vitest";
import { printableName } from "../../src/authenticate/attempted-username.ts";
import type { RequestRecord } from "../../src/index.ts";
import { send } from "./client.ts";
import {
  alice,
  connectRaw,
  startGate,
  startRawUpstream,
  startRegistry,
  startUpstream,
  type TestGate,
} from "./servers.ts";

const blob = `/v2/team/app/blobs/sha256:${"0".repeat(64)}`;
const upload = { method: "PATCH", path: "/v2/team/app/blobs/uploads/1" };
const octets = { "content-type": "application/octet-stream" };

async function recordOf(gate: TestGate): Promise<RequestRecord | undefined> {
  await expect.poll(() => gate.records.length).toBeGreaterThan(0);
  return gate.records[0];
}

describe("the record of a request", () => {
  test("of a complete response has the outcome completed", async () => {
    const gate = await startGate({ upstream: await startUpstream((_, response) => void response.end("ok")) });
    await send(gate.port, { path: blob });
    expect(await recordOf(gate)).toMatchObject({
      decision: "allowed",
      phase: "respond",
      outcome: "completed",
      status: 200,
    });
  });

  test("whose client disconnected before the response is never recorded as refused", async () => {
    const upstream = await startRawUpstream(() => {});
    const gate = await startGate({ upstream: upstream.port });
    const client = await connectRaw(gate.port);
    client.write(`GET ${blob} HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\n\r\n`);
    await expect.poll(() => upstream.received.length).toBe(1);
    client.socket.destroy();
    expect(await recordOf(gate)).toMatchObject({
      decision: "allowed",
      phase: "forward",
      outcome: "client-aborted",
      status: 499,
    });
  });

  test("whose client disconnected during authentication is recorded as neither refused nor allowed", async () => {
    const authenticate = vi.fn<AuthBackend["authenticate"]>(
      ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    );
    const gate = await startGate({
      upstream: await startUpstream((_, response) => void response.end("ok")),
      backends: [{ id: "slow", authenticate }],
    });
    const client = await connectRaw(gate.port);
    client.write(`GET ${blob} HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\n\r\n`);
    await expect.poll(() => authenticate).toHaveBeenCalled();
    client.socket.destroy();
    expect(await recordOf(gate)).toMatchObject({
      decision: "unauthenticated",
      phase: "authenticate",
      outcome: "client-aborted",
      reason: "the client left",
      status: 499,
    });
  });

  test("whose client disconnected in the middle of the response has the outcome client-aborted", async () => {
    const upstream = await startRawUpstream(
      (socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbeginning"),
    );
    const gate = await startGate({ upstream: upstream.port });
    const client = await connectRaw(gate.port);
    client.write(`GET ${blob} HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\n\r\n`);
    await client.until(/beginning/);
    client.socket.destroy();
    expect(await recordOf(gate)).toMatchObject({ phase: "respond", outcome: "client-aborted", status: 200 });
  });

  test("to a silent registry has the outcome timeout, with 504", async () => {
    const registry = await startRegistry({ onRequest: stallBeforeHeaders() });
    const gate = await startGate({ upstream: { url: registry.url, readTimeout: 100 } });
    await send(gate.port, { path: blob });
    expect(await recordOf(gate)).toMatchObject({ phase: "forward", outcome: "timeout", status: 504 });
  });

  test("to a registry that stops in a body has the outcome timeout", async () => {
    const registry = await startRegistry({ onRequest: stallMidBody({ length: 1000, sent: 10 }) });
    const gate = await startGate({ upstream: { url: registry.url, readTimeout: 100 } });
    await send(gate.port, { path: blob }).catch(() => {});
    expect(await recordOf(gate)).toMatchObject({ phase: "respond", outcome: "timeout", status: 200 });
  });

  test("to an unreachable registry has the outcome upstream-error, with 502", async () => {
    const upstream = await startRawUpstream((socket) => void socket.destroy());
    for (const request of [{ path: blob }, { ...upload, headers: octets, body: "x" }]) {
      const gate = await startGate({ upstream: upstream.port });
      await send(gate.port, request);
      expect(await recordOf(gate)).toMatchObject({ phase: "forward", outcome: "upstream-error", status: 502 });
    }
  });

  test("with a truncated response has the outcome upstream-error", async () => {
    const registry = await startRegistry({ onRequest: closeMidBody({ length: 1000, sent: 100 }) });
    const gate = await startGate({ upstream: registry.port });
    await send(gate.port, { path: blob }).catch(() => {});
    expect(await recordOf(gate)).toMatchObject({ phase: "respond", outcome: "upstream-error", status: 200 });
  });

  test.each([500, 502, 503, 504])(
    "with an error of the registry has the outcome upstream-error: %d",
    async (status) => {
      const gate = await startGate({
        upstream: await startUpstream((_, response) => void response.writeHead(status).end("{}")),
      });
      await send(gate.port, { path: blob });
      expect(await recordOf(gate)).toMatchObject({ outcome: "upstream-error", status });
    },
  );

  test("whose client stopped sending the body has the outcome timeout, with 408", async () => {
    const upstream = await startUpstream((request) => void request.resume());
    const gate = await startGate({ upstream: { url: `http://127.0.0.1:${upstream}`, readTimeout: 100 } });
    const client = await connectRaw(gate.port);
    client.write(
      `PATCH ${upload.path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\nContent-Type: application/octet-stream\r\nContent-Length: 10\r\n\r\n1`,
    );
    await client.until(/408/);
    client.socket.destroy();
    expect(await recordOf(gate)).toMatchObject({ outcome: "timeout", status: 408, phase: "forward" });
  });

  test("whose body was already read has the outcome internal-error, with 500", async () => {
    const gate = await startGate({
      upstream: await startUpstream((_, response) => void response.end()),
      mount: (proxy) => (request, response) => {
        request.once("end", () => proxy(request, response));
        request.resume();
      },
    });
    await send(gate.port, { ...upload, headers: octets, body: "x" });
    expect(await recordOf(gate)).toMatchObject({ outcome: "internal-error", status: 500 });
  });

  test.each([
    ["/v2/Team/app/tags/list", alice, { decision: "refused", phase: "route", status: 400 }],
    ["/v2/x", alice, { decision: "refused", phase: "route", status: 404 }],
    [blob, undefined, { decision: "unauthenticated", phase: "authorize", status: 401 }],
    [blob, "Basic YWxpY2U6d3Jvbmc=", { decision: "unauthenticated", phase: "authenticate", status: 401 }],
  ])("of %s as %j has the phase in which it ended", async (path, authorization, expected) => {
    const gate = await startGate({ upstream: await startUpstream((_, response) => void response.end()) });
    const headers = authorization === undefined ? {} : { authorization };
    await send(gate.port, { path, user: null, headers });
    expect(await recordOf(gate)).toMatchObject({ ...expected, outcome: "completed" });
  });
});

describe("a failed login", () => {
  const login = (name: string) => ({
    path: blob,
    headers: { authorization: `Basic ${Buffer.from(`${name}:wrong`).toString("base64")}` },
  });

  test("is recorded with the attempted username", async () => {
    const gate = await startGate({ upstream: await startUpstream((_, response) => void response.end()) });
    for (const name of ["alice", "nobody", "\u202eecila"]) await send(gate.port, login(name));
    await expect.poll(() => gate.records.length).toBe(3);
    expect(gate.records.map(({ username, attemptedUsername }) => [username, attemptedUsername])).toEqual([
      [undefined, "alice"],
      [undefined, "nobody"],
      [undefined, "\\u{202e}ecila"],
    ]);
  });

  test("is recorded with the username when no backend could check it", async () => {
    const gate = await startGate({
      upstream: await startUpstream((_, response) => void response.end()),
      backends: [{ id: "ldap", authenticate: () => Promise.reject(new BackendUnavailableError("ldap", "down")) }],
    });
    await send(gate.port, login("alice"));
    expect(await recordOf(gate)).toMatchObject({ status: 503, username: undefined, attemptedUsername: "alice" });
  });

  test("is recorded without the username when attemptedNames is false", async () => {
    const upstream = await startUpstream((_, response) => void response.end());
    const gate = await startGate({ upstream, attemptedNames: false });
    await send(gate.port, login("alice"));
    expect(await recordOf(gate)).toMatchObject({ status: 401, attemptedUsername: undefined });
  });

  test("is recorded with 128 characters of the name, all of them printable", () => {
    for (const name of [
      "x".repeat(500),
      "\u0000".repeat(500),
      "\u{1f600}".repeat(100),
      "\ud800x",
      "a\u2028b\u200fc\u0085",
    ]) {
      expect(printableName(name).length).toBeLessThanOrEqual(128);
      expect(printableName(name)).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]*$/u);
    }
    expect(printableName("Zoë O’Neil")).toBe("Zoë O’Neil");
  });
});

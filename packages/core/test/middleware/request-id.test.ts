import { type AuthBackend, BackendUnavailableError } from "@registry-gate/auth";
import { describe, expect, test } from "vitest";
import type { UnreadableRequest } from "../../src/index.ts";
import { send } from "./client.ts";
import { alice, connectRaw, startGate, startUpstream } from "./servers.ts";

const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

describe("the id of a request", () => {
  test.each([
    ["the registry's", { path: "/v2/team/app/manifests/v1", headers: { authorization: alice } }, 200],
    ["a challenge", { path: "/v2/", user: null }, 401],
    ["a refusal", { path: "/v2/..%2f", headers: { authorization: alice } }, 400],
    ["one outside the registry", { path: "/" }, 404],
  ])("is in every response and in its record: %s", async (_, request, status) => {
    const upstream = await startUpstream((_request, response) => {
      response.setHeader("X-Request-Id", "of-the-registry");
      response.end("{}");
    });
    const gate = await startGate({ upstream });
    const first = await send(gate.port, request);
    const second = await send(gate.port, request);
    expect([first.status, second.status]).toEqual([status, status]);
    const ids = [first, second].map(({ headers }) => headers["x-request-id"]);
    for (const id of ids) expect(id).toMatch(uuid);
    expect(new Set(ids).size).toBe(2);
    await expect.poll(() => gate.records.map(({ requestId }) => requestId)).toEqual(ids);
  });

  test.each([false, true])(
    "is that of the record where a body is malformed behind another request, alone: %s",
    async (standalone) => {
      const gate = await startGate({
        upstream: await startUpstream((_request, response) => response.end("{}")),
        standalone,
      });
      const client = await connectRaw(gate.port);
      const head = `Host: x\r\nAuthorization: ${alice}\r\n`;
      const body = "Transfer-Encoding: chunked\r\n\r\nnot a chunk\r\n";
      client.write(`GET /v2/ HTTP/1.1\r\n${head}\r\nPUT /v2/team/app/manifests/v1 HTTP/1.1\r\n${head}${body}`);
      const received = await client.until(/400 Bad Request[\s\S]+\r\n\r\n/);
      client.socket.destroy();
      const ids = [...received.matchAll(/^X-Request-Id: (\S+)\r$/gim)].map(([, id]) => id);
      expect(ids).toHaveLength(2);
      await expect.poll(() => gate.records.map(({ requestId }) => requestId)).toEqual(ids);
    },
  );

  test("is in the detail of every error, which clients print", async () => {
    const gate = await startGate({ upstream: await startUpstream(() => {}) });
    for (const request of [
      { path: "/v2/", user: null },
      { path: "/v2/..%2f", headers: { authorization: alice } },
    ]) {
      const { headers, body } = await send(gate.port, request);
      expect(JSON.parse(body)).toMatchObject({ errors: [{ detail: { requestId: headers["x-request-id"] } }] });
    }
  });

  test("is in what is logged about a backend that is down and a registry that is not there", async () => {
    const down: AuthBackend = {
      id: "ldap",
      authenticate: () => Promise.reject(new BackendUnavailableError("ldap", "down")),
    };
    const request = { path: "/v2/team/app/tags/list", headers: { authorization: alice } };
    // Nobody listens on the port of the discard service.
    const closed = 9;
    for (const settings of [{ backends: [down] }, {}]) {
      const gate = await startGate({ upstream: closed, ...settings });
      const { headers } = await send(gate.port, request);
      const lines = () =>
        gate
          .logged()
          .split("\n")
          .filter((line) => line.includes('"err"'));
      await expect.poll(() => lines().length).toBeGreaterThan(0);
      for (const line of lines()) expect(JSON.parse(line)).toMatchObject({ requestId: headers["x-request-id"] });
    }
  });

  test("is in the response to unparsable input", async () => {
    const refused: UnreadableRequest[] = [];
    const gate = await startGate({
      upstream: await startUpstream(() => {}),
      onRefused: (one) => void refused.push(one),
    });
    const client = await connectRaw(gate.port);
    client.write("GET / HTTP/9.9\r\n\r\n");
    const [, id] = /^X-Request-Id: (.*)\r$/m.exec(await client.ended()) ?? [];
    expect(id).toMatch(uuid);
    expect(refused).toMatchObject([{ requestId: id, status: 400 }]);
  });

  test.each([
    ["a trusted proxy's", ["127.0.0.1"], "b3f1:6/A+c=", true],
    ["not that of anybody else", [], "b3f1", false],
    ["not one with a blank", ["127.0.0.1"], "a b", false],
    ["not an empty one", ["127.0.0.1"], "", false],
    ["not one of 129 characters", ["127.0.0.1"], "a".repeat(129), false],
    ["not one that opens a quote", ["127.0.0.1"], 'a"b', false],
  ])("is %s", async (_, trustedProxies, given, kept) => {
    const gate = await startGate({ upstream: await startUpstream(() => {}), trustedProxies });
    const { headers } = await send(gate.port, { path: "/v2/", user: null, headers: { "x-request-id": given } });
    if (kept) expect(headers["x-request-id"]).toBe(given);
    else expect(headers["x-request-id"]).toMatch(uuid);
  });

  test("is the app's where it has set one", async () => {
    const upstream = await startUpstream((_, response) => void response.end("{}"));
    const gate = await startGate({
      upstream,
      mount: (proxy) => (request, response) => {
        response.setHeader("X-Request-Id", "of-the-app");
        proxy(request, response);
      },
    });
    for (const authorization of [alice, "Basic YWxpY2U6eA=="]) {
      const { headers } = await send(gate.port, { path: "/v2/", headers: { authorization } });
      expect(headers["x-request-id"]).toBe("of-the-app");
    }
    await expect.poll(() => gate.records.map(({ requestId }) => requestId)).toEqual(["of-the-app", "of-the-app"]);
  });
});

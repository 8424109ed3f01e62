import type { IncomingMessage, RequestListener } from "node:http";
import { describe, expect, test } from "vitest";
import { type RegistryCredentials, registryProxy } from "../../src/index.ts";
import { errorCode, send, zeros } from "./client.ts";
import { alice, startGate, startUpstream, type TestGate } from "./servers.ts";

const manifest = "/v2/team/app/manifests/v1";
const everything = [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*" as const] }];

/** Each way by which the gate speaks to the registry. */
const requests = [
  { way: "a read", method: "GET", path: manifest },
  { way: "an upload", method: "PATCH", path: "/v2/team/app/blobs/uploads/1", body: zeros(2 ** 20) },
  { way: "a request without a body", method: "POST", path: "/v2/team/app/blobs/uploads/" },
  { way: "a deletion", method: "DELETE", path: manifest },
];

async function registry(respond: RequestListener): Promise<{ port: number; heard: IncomingMessage[] }> {
  const heard: IncomingMessage[] = [];
  const port = await startUpstream((request, response) => {
    heard.push(request);
    request.resume();
    respond(request, response);
  });
  return { port, heard };
}

function gateWith(port: number, credentials?: RegistryCredentials | (() => RegistryCredentials)): Promise<TestGate> {
  const url = `http://127.0.0.1:${port}`;
  return startGate({ upstream: { url, ...(credentials && { credentials }) }, access: everything });
}

const said = (heard: readonly IncomingMessage[]): readonly (string | undefined)[] =>
  heard.map(({ headers }) => headers.authorization);

describe("the gate's own login at the registry", () => {
  test.each<[string, RegistryCredentials, string]>([
    [
      "by name and password",
      { username: "g\u00e4te", password: "se:cret" },
      `Basic ${btoa("g\u00c3\u00a4te:se:cret")}`,
    ],
    ["by a token", { bearer: "abc.def_~+/=" }, "Bearer abc.def_~+/="],
  ])("%s goes with every request, and the client's never does", async (_, credentials, authorization) => {
    const { port, heard } = await registry((_request, response) => void response.end('{"repositories":[]}'));
    const gate = await gateWith(port, credentials);
    for (const { way: _way, ...request } of requests) expect((await send(gate.port, request)).status).toBe(200);
    expect(said(heard)).toEqual(requests.map(() => authorization));
    for (const { rawHeaders } of heard) expect(rawHeaders.join("\n")).not.toContain(alice);
  });

  test("is sent with the registry's own Host, whatever Host and proxies say", async () => {
    const { port, heard } = await registry((_request, response) => void response.end());
    const gate = await startGate({
      upstream: { url: `http://127.0.0.1:${port}`, credentials: { username: "gate", password: "secret" } },
      access: everything,
      trustedProxies: ["127.0.0.1"],
    });
    const headers = { host: "other.example.com", "x-forwarded-host": "other.example.com" };
    for (const { way: _way, ...request } of requests) await send(gate.port, { ...request, headers });
    expect(heard.map((request) => request.headers.host)).toEqual(requests.map(() => `127.0.0.1:${port}`));
  });

  test("is sent with the gate's own queries", async () => {
    const { port, heard } = await registry(({ method, url }, response) => {
      if (method === "HEAD") response.writeHead(404);
      response.end(url?.includes("_catalog") ? '{"repositories":["team/app"]}' : "{}");
    });
    const credentials = { username: "gate", password: "secret" };
    const gate = await startGate({
      upstream: { url: `http://127.0.0.1:${port}`, credentials },
      access: [
        { subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull", "push"], immutableTags: ["v*"] },
      ],
    });
    expect((await send(gate.port, { path: "/v2/_catalog" })).body).toBe('{"repositories":["team/app"]}\n');
    const push = { method: "PUT", path: manifest, headers: { "content-type": "a/b" }, body: "{}" };
    expect((await send(gate.port, push)).status).toBe(200);
    const asked = heard.map(({ method, url }) => `${method} ${url?.split("?")[0]}`);
    expect(new Set(asked)).toEqual(new Set(["GET /v2/_catalog", `HEAD ${manifest}`, `PUT ${manifest}`]));
    expect(new Set(said(heard))).toEqual(new Set([`Basic ${btoa("gate:secret")}`]));
  });

  test("is read for each request where it is a function", async () => {
    const { port, heard } = await registry((_request, response) => void response.end());
    let bearer = "first";
    const gate = await gateWith(port, () => ({ bearer }));
    await send(gate.port, { path: manifest });
    bearer = "second";
    await send(gate.port, { path: manifest });
    expect(said(heard)).toEqual(["Bearer first", "Bearer second"]);
  });

  test.each<[string, () => RegistryCredentials]>([
    ["throws", () => expect.fail("canary")],
    ["gives what cannot be sent", () => ({ bearer: "canary\r\nX: y" })],
  ])("is an internal error where its function %s, and the request is not sent", async (_, credentials) => {
    const { port, heard } = await registry((_request, response) => void response.end());
    const gate = await gateWith(port, credentials);
    for (const { way: _way, ...request } of requests) {
      const response = await send(gate.port, request);
      expect([response.status, errorCode(response)]).toEqual([500, "UNKNOWN"]);
      expect(response.body).not.toContain("canary");
    }
    expect(heard).toEqual([]);
  });

  test.each([
    [{}, "must hold username and password, or bearer"],
    [{ username: "a" }, "must hold username and password, or bearer"],
    [{ username: "a", password: "b", bearer: "c" }, "must hold username and password, or bearer"],
    ["a:b", "must hold username and password, or bearer"],
    [{ username: "a:b", password: "c" }, "username must not be empty, and must hold no colon and no control character"],
    [{ username: "a", password: "b\nc" }, "password must not be empty, and must hold no control character"],
    [{ bearer: "a b" }, "bearer must be a token"],
  ])("is refused at the start where it is %j", (credentials, message) => {
    const backends = [{ id: "nobody", authenticate: async () => ({ status: "abstained" }) }];
    const options: unknown = { upstream: { url: "http://127.0.0.1", credentials }, backends };
    // As JavaScript calls it.
    const call: (given: never) => unknown = registryProxy;
    expect(() => Reflect.apply(call, undefined, [options])).toThrow(`upstream.credentials: ${message}`);
  });
});

describe("a challenge of the registry to the gate", () => {
  const refuse: RequestListener = (_, response) => {
    const body = '{"errors":[{"code":"UNAUTHORIZED","message":"canary"}]}';
    response
      .writeHead(401, { "WWW-Authenticate": 'Basic realm="canary"', "Content-Type": "application/json" })
      .end(body);
  };

  test.each([
    ["without credentials", undefined, "set upstream.credentials"],
    ["with wrong ones", { username: "gate", password: "wrong" }, "the registry rejects the gate's login"],
  ])("is 502 for every client, and logged once: %s", async (_, credentials, warning) => {
    const { port } = await registry(refuse);
    const gate = await gateWith(port, credentials);
    for (const { way, ...request } of requests) {
      const response = await send(gate.port, request);
      expect([response.status, errorCode(response)], way).toEqual([502, "UNAVAILABLE"]);
      expect(response.headers).not.toHaveProperty("www-authenticate");
      expect(JSON.stringify(response)).not.toContain("canary");
    }
    expect(gate.logged().match(/"message"/g)).toHaveLength(1);
    expect(gate.logged()).toContain(warning);
    await expect.poll(() => gate.records.length).toBe(requests.length);
    for (const { decision, outcome, reason } of gate.records) {
      expect([decision, outcome, reason]).toEqual(["allowed", "upstream-error", expect.stringContaining(warning)]);
    }
  });

  test("is 502 in the middle of an upload, and where a proxy before the registry asks", async () => {
    const { port } = await registry((_, response) => {
      response.writeHead(407, { "Proxy-Authenticate": "Basic realm=canary" }).end();
    });
    const gate = await gateWith(port);
    const upload = { method: "PATCH", path: "/v2/team/app/blobs/uploads/1", body: zeros(20 * 2 ** 20) };
    const response = await send(gate.port, upload);
    expect([response.status, errorCode(response)]).toEqual([502, "UNAVAILABLE"]);
    expect(response.headers).not.toHaveProperty("proxy-authenticate");
  });

  test("is 502 for the gate's own queries, never a missing catalog or a free tag", async () => {
    const { port, heard } = await registry(refuse);
    const gate = await startGate({
      upstream: port,
      access: [
        { subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull", "push"], immutableTags: ["v*"] },
      ],
    });
    const push = { method: "PUT", path: manifest, headers: { "content-type": "a/b" }, body: "{}" };
    for (const request of [{ path: "/v2/_catalog" }, push]) {
      const response = await send(gate.port, request);
      expect([response.status, errorCode(response)]).toEqual([502, "UNAVAILABLE"]);
    }
    expect(heard.map(({ method }) => method)).toEqual(["GET", "HEAD"]);
    expect(gate.logged().match(/"message"/g)).toHaveLength(1);
  });

  test("is logged again after the registry accepted the gate's login", async () => {
    let locked = true;
    const { port } = await registry((request, response) => {
      if (locked) refuse(request, response);
      else response.end();
    });
    const gate = await gateWith(port);
    for (const state of [true, true, false, false, true, true]) {
      locked = state;
      expect((await send(gate.port, { path: manifest })).status).toBe(state ? 502 : 200);
    }
    const messages = gate.logged().split("\n");
    expect(messages).toEqual([
      expect.stringContaining("requires a login"),
      expect.stringContaining("accepts the gate's login again"),
      expect.stringContaining("requires a login"),
    ]);
  });

  test("is logged ever less often where the registry refuses some requests and accepts others", async () => {
    const { port } = await registry((request, response) => {
      if (request.method === "GET") response.end();
      else refuse(request, response);
    });
    const gate = await gateWith(port);
    for (let count = 0; count < 20; count++) {
      expect((await send(gate.port, { path: manifest })).status).toBe(200);
      expect((await send(gate.port, { method: "HEAD", path: manifest })).status).toBe(502);
    }
    const warnings = gate.logged().match(/requires a login/g);
    expect(warnings).toHaveLength(5);
    expect(gate.logged().match(/"times":16/g)).toHaveLength(1);
  });
});

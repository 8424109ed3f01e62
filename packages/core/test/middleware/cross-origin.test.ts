import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { type CorsOptions, validateOptions } from "../../src/index.ts";
import { type ClientResponse, type Sent, send } from "./client.ts";
import { startGate, startUpstream, type TestGate } from "./servers.ts";

const ui = "https://ui.example.com";
const tags = "/v2/team/app/tags/list";
const manifest = "/v2/team/app/manifests/v1";

interface SeenGate extends TestGate {
  readonly seen: IncomingMessage[];
}

async function gateFor(cors: CorsOptions | undefined, more: object = {}): Promise<SeenGate> {
  const seen: IncomingMessage[] = [];
  const upstream = await startUpstream((request, response) => {
    seen.push(request);
    request.resume();
    response.setHeader("Vary", "Accept");
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Docker-Content-Digest", "sha256:1");
    response.end("{}");
  });
  return { ...(await startGate({ upstream, ...(cors !== undefined && { cors }), ...more })), seen };
}

const preflight = (origin: string, method = "GET", path = tags) => ({
  method: "OPTIONS",
  path,
  user: null,
  headers: { origin, "access-control-request-method": method, "access-control-request-headers": "authorization" },
});

/** What of a response a browser decides by. */
function corsHeaders({ headers }: ClientResponse): Record<string, unknown> {
  const names = Object.keys(headers).filter((name) => name.startsWith("access-control-") || name === "vary");
  return Object.fromEntries(names.map((name) => [name, headers[name]]));
}

describe("a preflight", () => {
  test("of an allowed origin is granted without a login, for every path, and is not forwarded", async () => {
    const gate = await gateFor({ origins: ["http://localhost:8080", ui] });
    for (const path of ["/v2/", "/v2/_catalog", tags, manifest, "/v2/no/such/operation"]) {
      const response = await send(gate.port, preflight(ui, "DELETE", path));
      expect(response.status, path).toBe(204);
      expect(response.body).toBe("");
      expect(corsHeaders(response)).toEqual({
        "access-control-allow-origin": ui,
        "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
        "access-control-allow-headers": expect.any(String),
        "access-control-expose-headers": expect.any(String),
        "access-control-max-age": "600",
        vary: "Access-Control-Request-Method, Access-Control-Request-Headers, Origin",
      });
      const accepted = String(response.headers["access-control-allow-headers"]).split(", ");
      const needed = ["Accept", "Authorization", "Content-Range", "Content-Type", "If-Match", "If-None-Match", "Range"];
      expect(accepted).toEqual(expect.arrayContaining(needed));
    }
    expect(gate.seen).toHaveLength(0);
    await expect.poll(() => gate.records.length).toBe(5);
    expect(gate.records[0]).toMatchObject({
      method: "OPTIONS",
      decision: "allowed",
      outcome: "completed",
      status: 204,
    });
  });

  test.each<[of: string, request: Partial<ReturnType<typeof preflight>>]>([
    ["another origin", preflight("https://evil.example")],
    ["an origin that begins alike", preflight(`${ui}.evil.example`)],
    ["another port", preflight(`${ui}:8443`)],
    ["another scheme", preflight("http://ui.example.com")],
    ["another spelling", preflight("https://UI.example.com")],
    ["a hidden origin", preflight("null")],
    ["two origins", preflight(`${ui}, https://evil.example`)],
  ])("of %s is refused like any OPTIONS, without CORS headers", async (_, request) => {
    const gate = await gateFor({ origins: [ui], credentials: true });
    const response = await send(gate.port, { path: tags, ...request });
    expect(response.status).toBe(405);
    expect(corsHeaders(response)).toEqual({ vary: "Origin" });
  });

  test("without a requested method, and any other OPTIONS, is refused with 405", async () => {
    const gate = await gateFor({ origins: [ui] });
    for (const headers of [{}, { origin: ui }, { "access-control-request-method": "GET" }]) {
      expect((await send(gate.port, { method: "OPTIONS", path: tags, headers })).status).toBe(405);
    }
  });

  test("is refused with 405 and without CORS headers where the option is not set", async () => {
    const gate = await gateFor(undefined);
    const response = await send(gate.port, preflight(ui));
    expect(response.status).toBe(405);
    expect(corsHeaders(response)).toEqual({});
  });
});

describe("a response to an allowed origin can be read by its page", () => {
  const readable = {
    "access-control-allow-origin": ui,
    "access-control-expose-headers": expect.stringMatching(
      /\bContent-Length\b.*\bDocker-Content-Digest\b.*\bDocker-Distribution-Api-Version\b.*\bLink\b.*\bWWW-Authenticate\b/,
    ),
  };

  test.each<[what: string, request: Sent, status: number, vary: string]>([
    ["the registry's", { path: tags }, 200, "Accept, Origin"],
    ["a catalog that the gate writes", { path: "/v2/_catalog" }, 200, "Origin"],
    ["a challenge", { path: tags, user: null }, 401, "Origin"],
    ["a refusal by the rules", { path: "/v2/secret/app/tags/list" }, 403, "Origin"],
    ["a path that no registry has", { path: "/v2/Team/tags/list" }, 400, "Origin"],
    ["a request that cannot be read in one way", { path: tags, headers: { expect: "x" } }, 417, "Origin"],
  ])("%s", async (what, request, status, vary) => {
    const upstream = await startUpstream((_, response) => {
      if (what === "the registry's") response.setHeader("Vary", "Accept");
      response.setHeader("Access-Control-Allow-Origin", "*");
      response.end(JSON.stringify({ repositories: ["team/app", "secret/app"] }));
    });
    const access = [{ subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull" as const] }];
    const gate = await startGate({ upstream, access, cors: { origins: [ui] } });
    const response = await send(gate.port, { ...request, headers: { origin: ui, ...request.headers } });
    expect(response.status).toBe(status);
    expect(corsHeaders(response)).toEqual({ ...readable, vary });
  });

  test("an unreachable registry", async () => {
    const gate = await startGate({ upstream: { url: "http://127.0.0.1:1" }, cors: { origins: [ui] } });
    const response = await send(gate.port, { path: tags, headers: { origin: ui } });
    expect(response.status).toBe(502);
    expect(corsHeaders(response)).toEqual({ ...readable, vary: "Origin" });
  });

  test("allows credentials where the option is set", async () => {
    const gate = await gateFor({ origins: [ui], credentials: true });
    for (const request of [preflight(ui), { path: tags, headers: { origin: ui } }]) {
      const response = await send(gate.port, request);
      expect(response.headers["access-control-allow-credentials"]).toBe("true");
    }
  });

  test("is not readable by another origin or without an Origin", async () => {
    const gate = await gateFor({ origins: [ui], credentials: true });
    for (const headers of [{ origin: "https://evil.example" }, {}]) {
      const response = await send(gate.port, { path: tags, headers });
      expect(response.status).toBe(200);
      expect(corsHeaders(response)).toEqual({ vary: "Accept, Origin" });
    }
  });
});

describe("a change requested by a page of another origin", () => {
  const session = () => ({ subject: "bob", username: "bob", groups: [], backend: "portal" });
  const put = (origin: string, user?: null) => ({
    method: "PUT",
    path: manifest,
    body: "{}",
    ...(user === null && { user }),
    headers: { "content-type": "application/json", origin, "sec-fetch-site": "cross-site" },
  });

  test("is allowed for an allowed origin with a login, and for no other", async () => {
    const gate = await gateFor({ origins: [ui] });
    expect((await send(gate.port, put(ui))).status).toBe(200);
    expect((await send(gate.port, put("https://evil.example"))).status).toBe(403);
    expect(gate.seen).toHaveLength(1);
  });

  test.each([
    [true, 200],
    [false, 403],
  ])("is allowed in a session where credentials are allowed (%s)", async (credentials, status) => {
    const gate = await gateFor({ origins: [ui], credentials }, { session });
    expect((await send(gate.port, put(ui, null))).status).toBe(status);
    const read = { path: tags, user: null, headers: { origin: ui, "sec-fetch-site": "cross-site" } };
    expect((await send(gate.port, read)).status).toBe(status);
    expect((await send(gate.port, put("https://evil.example", null))).status).toBe(403);
  });
});

describe("the option cors", () => {
  const faultsOf = (cors: unknown): string[] => {
    const options = { upstream: { url: "http://registry:5000" }, cors };
    // As JavaScript would pass it.
    return validateOptions(JSON.parse(JSON.stringify(options))).faults.map(
      ({ path, message }) => `${path.join(".")}: ${message}`,
    );
  };
  const example = "must be an origin such as https://ui.example.com";

  test.each([[[ui]], [["http://localhost:8080", "https://[::1]:8443"]]])("may list %j", (origins) => {
    expect(faultsOf({ origins })).toEqual([]);
  });

  test.each<[cors: unknown, fault: string]>([
    [{}, "cors.origins: is required"],
    [{ origins: "https://ui.example.com" }, "cors.origins: must be a list"],
    [{ origins: [] }, "cors.origins: must name at least one origin"],
    [{ origins: [ui], credentials: "yes" }, "cors.credentials: must be true or false"],
    [{ origins: ["*"] }, `cors.origins.0: ${example}: with a login every origin has to be named`],
    [{ origins: ["https://*.example.com"] }, `cors.origins.0: ${example}: with a login every origin has to be named`],
    [{ origins: ["null"] }, `cors.origins.0: ${example}`],
    [{ origins: ["ui.example.com"] }, `cors.origins.0: ${example}`],
    [{ origins: ["file:///ui"] }, `cors.origins.0: ${example}`],
    [{ origins: [`${ui}/`] }, `cors.origins.0: ${example}; did you mean ${ui}?`],
    [{ origins: [`${ui}:443`] }, `cors.origins.0: ${example}; did you mean ${ui}?`],
    [{ origins: ["https://UI.example.com/path"] }, `cors.origins.0: ${example}; did you mean ${ui}?`],
  ])("may not be %j", (cors, fault) => {
    expect(faultsOf(cors)).toEqual([fault]);
  });
});

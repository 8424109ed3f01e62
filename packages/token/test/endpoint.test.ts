import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type AuthBackend, BackendUnavailableError, type Identity } from "@registry-gate/auth";
import { type AccessRule, type AuthenticatorOptions, compilePolicy, createAuthenticator } from "@registry-gate/core";
import { decodeJwt } from "jose";
import { describe, expect, it, onTestFinished } from "vitest";
import { createTokenEndpoint, type TokenEndpointOptions } from "../src/endpoint/endpoint.ts";
import { randomKeys } from "../src/key-file.ts";
import { refreshTokens } from "../src/refresh-tokens.ts";
import { tokenBackend } from "../src/token-backend.ts";
import { tokenHandler } from "../src/token-handler.ts";
import { createTokenService, type TokenServiceOptions } from "../src/token-service.ts";
import { aliceIdentity, memoryStore } from "./fixtures.ts";

const keys = await randomKeys();

const access: readonly AccessRule[] = [
  { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] },
  { subjects: ["authenticated"], repositories: ["team/**", "public/**"], actions: ["pull"] },
  { subjects: ["user:alice"], repositories: ["team/**"], actions: ["*"] },
];

interface Settings {
  readonly service?: Partial<TokenServiceOptions>;
  readonly endpoint?: Partial<TokenEndpointOptions>;
  readonly authenticator?: Partial<AuthenticatorOptions>;
  readonly backend?: Partial<AuthBackend>;
  readonly rules?: readonly AccessRule[];
}

/** A server of tokens alone, whose backend knows alice. */
async function serve({ service, endpoint, authenticator, backend, rules = access }: Settings = {}) {
  const directory = { down: false, alice: aliceIdentity as Identity | undefined };
  const ldap: AuthBackend = {
    id: "ldap",
    async authenticate({ credentials }) {
      if (directory.down) throw new BackendUnavailableError("ldap", "no answer");
      if (credentials?.scheme !== "basic") return { status: "abstained" };
      const { username, password } = credentials;
      if (username === "robot") {
        const identity = { ...aliceIdentity, username: "robot" };
        const grants = [{ type: "repository", name: "team/app", action: "pull" }] as const;
        return { status: "authenticated", identity, grants };
      }
      if (username !== "alice" || password !== "correct horse") return { status: "rejected", reason: "wrong" };
      return { status: "authenticated", identity: aliceIdentity };
    },
    async lookup() {
      if (directory.down) throw new BackendUnavailableError("ldap", "no answer");
      return directory.alice;
    },
    ...backend,
  };
  const refresh = refreshTokens({ store: memoryStore() });
  const made = createAuthenticator({
    backends: [tokenBackend({ keys }), ldap],
    throttle: false,
    ...authenticator,
  });
  const tokens = createTokenService({ keys, refreshTokens: refresh, ...service });
  const handler = tokenHandler({
    endpoint: createTokenEndpoint({ tokens, refreshTokens: refresh, ...endpoint }),
    authenticator: made,
    policy: compilePolicy(rules),
  });
  const server = createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    made.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/v2/auth`;

  async function read(response: Response) {
    const body = JSON.parse(await response.text());
    return { status: response.status, headers: response.headers, body };
  }
  const get = async (query: string, login?: string, method = "GET") => {
    const headers: Record<string, string> = login === undefined ? {} : { Authorization: login };
    return read(await fetch(`${url}?${query}`, { method, headers }));
  };
  const post = async (form: Record<string, string> | string, type = "application/x-www-form-urlencoded") =>
    read(
      await fetch(url, {
        method: "POST",
        headers: { "Content-Type": type },
        body: typeof form === "string" ? form : String(new URLSearchParams(form)),
      }),
    );
  return { directory, get, post, url, host: `127.0.0.1:${port}` };
}

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
const alice = basic("alice", "correct horse");
const password = { grant_type: "password", username: "alice", password: "correct horse" };
const pull = "scope=repository:team/app:pull";
const accessOf = (body: { token: string }): unknown => decodeJwt(body.token).access;

describe("GET", () => {
  it("gives a token for what is asked, cut to what the rules allow", async () => {
    const { get, host } = await serve();
    const scopes =
      "scope=repository:team/app:pull,push&scope=repository:other/app:pull+repository:public/base:pull,push";
    const { status, headers, body } = await get(`service=${host}&account=alice&client_id=docker&${scopes}`, alice);
    expect(status).toBe(200);
    expect(body).toEqual({
      token: expect.any(String),
      access_token: body.token,
      token_type: "Bearer",
      expires_in: 300,
      issued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(decodeJwt(body.token)).toMatchObject({ iss: "registry-gate", aud: host, sub: "alice" });
    expect(accessOf(body)).toEqual([
      { type: "repository", name: "team/app", actions: ["pull", "push"] },
      { type: "repository", name: "public/base", actions: ["pull"] },
    ]);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });

  it("gives a token to nobody without a login, and with the empty one of containers/image", async () => {
    const { get } = await serve();
    for (const login of [undefined, "Basic Og=="]) {
      const { status, body } = await get(`scope=repository:public/base:pull&${pull}`, login);
      expect(status).toBe(200);
      expect(decodeJwt(body.token)).toMatchObject({
        sub: "",
        access: [{ type: "repository", name: "public/base", actions: ["pull"] }],
      });
    }
  });

  it("gives a valid token without access where nothing is allowed or known", async () => {
    const { get } = await serve();
    const { status, body } = await get(
      "scope=repository:secret:push&scope=nonsense&scope=registry:other:*&scope=",
      alice,
    );
    expect(status).toBe(200);
    expect(accessOf(body)).toEqual([]);
  });

  it("gives what * stands for, as far as the rules allow it", async () => {
    const { get } = await serve();
    const { body } = await get("scope=repository:team/app:*&scope=repository:public/app:*", alice);
    expect(accessOf(body)).toMatchObject([{ actions: ["pull", "push", "delete", "*"] }, { actions: ["pull"] }]);
  });

  it("gives the list of repositories to users, and to nobody where anything is public", async () => {
    const list = "scope=registry:catalog:*";
    const granted = [{ type: "registry", name: "catalog", actions: ["*"] }];
    const { get } = await serve();
    expect(accessOf((await get(list, alice)).body)).toEqual(granted);
    expect(accessOf((await get(list)).body)).toEqual(granted);
    expect(accessOf((await get(list, basic("robot", "x"))).body)).toEqual([]);
    const closed = await serve({ rules: access.slice(1) });
    expect(accessOf((await closed.get(list)).body)).toEqual([]);
  });

  it("keeps to the grants of the login, and to its end", async () => {
    const { get } = await serve();
    const { body } = await get("scope=repository:team/app:pull,push&scope=repository:team/x:pull", basic("robot", "x"));
    expect(accessOf(body)).toEqual([{ type: "repository", name: "team/app", actions: ["pull"] }]);
    const identity = aliceIdentity;
    const ending = await serve({
      backend: { authenticate: async () => ({ status: "authenticated", identity, expiresAt: Date.now() + 60_000 }) },
    });
    const short = await ending.get("offline_token=true", alice);
    expect(short.body.expires_in).toBeLessThanOrEqual(60);
    expect(short.body).not.toHaveProperty("refresh_token");
  });

  it.each([
    ["a wrong password", basic("alice", "wrong")],
    ["an unknown user", basic("bob", "wrong")],
    ["a malformed login", "Basic !!!"],
    ["a token of somebody", "Bearer abc"],
    ["another scheme", "Negotiate abc"],
  ])("refuses %s with 401, and never takes it for nobody", async (_, login) => {
    const { get, host } = await serve();
    const { status, headers, body } = await get("scope=repository:public/base:pull", login);
    expect(status).toBe(401);
    expect(headers.get("www-authenticate")).toBe(`Basic realm="${host}"`);
    const detail = { requestId: headers.get("x-request-id") };
    expect(body).toMatchObject({ errors: [{ code: "UNAUTHORIZED", detail }] });
    expect(body).not.toHaveProperty("token");
  });

  it("refuses a token as the login for another one", async () => {
    const { get } = await serve();
    for (const login of [alice, undefined]) {
      const { body } = await get(pull, login);
      expect(await get(pull, `Bearer ${body.token}`)).toMatchObject({ status: 401 });
    }
  });

  it("is 503 while a backend is down, and 429 after too many failures", async () => {
    const { get, directory } = await serve({ authenticator: { throttle: { perUserAndAddress: "1/5m" } } });
    directory.down = true;
    const outage = await get(pull, alice);
    expect(outage).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
    expect(outage.headers.get("retry-after")).toMatch(/^\d+$/);
    directory.down = false;
    await get(pull, basic("alice", "wrong"));
    const throttled = await get(pull, basic("alice", "wrong"));
    expect(throttled).toMatchObject({ status: 429, body: { errors: [{ code: "TOOMANYREQUESTS" }] } });
    expect(Number(throttled.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it.each([
    ["the service of somebody else", "service=other.example.com"],
    ["a service that stands twice", "service=a&service=a"],
    ["too many scopes", Array.from({ length: 101 }, (_, index) => `scope=repository:a${index}:pull`).join("&")],
    ["too long a scope", `scope=${"a".repeat(8193)}`],
  ])("refuses %s with 400", async (_, query) => {
    const { get } = await serve();
    expect(await get(query, alice)).toMatchObject({ status: 400, body: { errors: [{ code: "UNSUPPORTED" }] } });
  });

  it("knows the service that it is told, or the host of its realm", async () => {
    const named = await serve({ endpoint: { service: "my registry" } });
    expect(await named.get("service=my+registry", alice)).toMatchObject({ status: 200 });
    expect(await named.get(`service=${named.host}`, alice)).toMatchObject({ status: 400 });
    const elsewhere = await serve({ endpoint: { realm: "https://auth.example.com/v2/auth" } });
    expect(await elsewhere.get("service=auth.example.com", alice)).toMatchObject({ status: 200 });
  });
});

describe("POST", () => {
  it("gives a token by password", async () => {
    const { post, host } = await serve();
    const { status, body } = await post({ ...password, service: host, scope: "repository:team/app:pull,push" });
    expect(status).toBe(200);
    expect(accessOf(body)).toEqual([{ type: "repository", name: "team/app", actions: ["pull", "push"] }]);
    expect(body).not.toHaveProperty("refresh_token");
  });

  it.each([
    ["a wrong password", { ...password, password: "wrong" }],
    ["a name that no login has", { ...password, username: "a:b" }],
    ["a password with a control character", { ...password, password: "a\u0000b" }],
  ])("refuses %s with 401", async (_, form) => {
    const { post } = await serve();
    expect(await post(form)).toMatchObject({ status: 401, body: { error: "invalid_grant" } });
  });

  it.each<[string, Record<string, string> | string, string]>([
    ["no grant type", {}, "invalid_request"],
    ["another grant type", { grant_type: "client_credentials" }, "unsupported_grant_type"],
    ["no password", { grant_type: "password", username: "alice" }, "invalid_request"],
    ["no refresh token", { grant_type: "refresh_token" }, "invalid_request"],
    ["a made-up refresh token", { grant_type: "refresh_token", refresh_token: "rgr_x" }, "invalid_grant"],
    ["a parameter twice", "grant_type=password&grant_type=refresh_token", "invalid_request"],
    ["another service", { ...password, service: "other" }, "invalid_request"],
    ["too many scopes", { ...password, scope: "a ".repeat(101) }, "invalid_scope"],
  ])("refuses %s with 400", async (_, form, error) => {
    const { post } = await serve();
    expect(await post(form)).toMatchObject({ status: 400, body: { error, error_description: expect.any(String) } });
  });

  it("refuses what is no form, and one that is too large", async () => {
    const { post } = await serve();
    expect(await post("{}", "application/json")).toMatchObject({ status: 415 });
    expect(await post("a", "multipart/form-data; boundary=a")).toMatchObject({ status: 415 });
    expect(await post("grant_type=password", "application/x-www-form-urlencoded; charset=UTF-8")).toMatchObject({
      status: 400,
    });
    const large = `${new URLSearchParams(password)}&x=${"a".repeat(65_536)}`;
    expect(await post(large)).toMatchObject({ status: 413 });
  });
});

describe("a refresh token", () => {
  it.each([
    ["GET with offline_token", (server: Awaited<ReturnType<typeof serve>>) => server.get("offline_token=true", alice)],
    [
      "POST with access_type",
      (server: Awaited<ReturnType<typeof serve>>) => server.post({ ...password, access_type: "offline" }),
    ],
  ])("comes with %s, and gives tokens without a password", async (_, login) => {
    const server = await serve();
    const { body } = await login(server);
    expect(body.refresh_token).toMatch(/^rgr_/);
    const refresh = { grant_type: "refresh_token", refresh_token: body.refresh_token, service: server.host };
    for (let round = 0; round < 2; round++) {
      const again = await server.post({ ...refresh, scope: "repository:team/app:push", access_type: "offline" });
      expect(again.status).toBe(200);
      expect(decodeJwt(again.body.token)).toMatchObject({ sub: "alice", access: [{ actions: ["push"] }] });
      expect(again.body).not.toHaveProperty("refresh_token");
    }
  });

  it("is not given without asking, to nobody, or to a login that is limited", async () => {
    const { get } = await serve();
    for (const [query, login] of [
      ["", alice],
      ["offline_token=false", alice],
      ["offline_token=true", undefined],
      ["offline_token=true", basic("robot", "x")],
    ] as const) {
      expect((await get(query, login)).body).not.toHaveProperty("refresh_token");
    }
  });

  it("is 503 while the directory is down, and invalid_grant once the user is gone", async () => {
    const { get, post, directory } = await serve();
    const { body } = await get("offline_token=true", alice);
    const refresh = { grant_type: "refresh_token", refresh_token: body.refresh_token };
    directory.down = true;
    expect(await post(refresh)).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
    directory.down = false;
    expect(await post(refresh)).toMatchObject({ status: 200 });
    directory.alice = undefined;
    expect(await post(refresh)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
  });
});

it.each(["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])("refuses %s with 405", async (method) => {
  const { url } = await serve();
  const response = await fetch(url, { method, headers: { Origin: "https://other.example.com" } });
  expect(response.status).toBe(405);
  expect(response.headers.get("allow")).toBe("GET, POST");
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
});

it("tells nobody a password or a token in what is logged", async () => {
  const lines: unknown[] = [];
  const keep = (fields: unknown, message: string): void => void lines.push(fields, message);
  const log = { debug: keep, info: keep, warn: keep, error: keep };
  const { get, post } = await serve({ endpoint: { log }, authenticator: { log } });
  const { body } = await get("offline_token=true", alice);
  await post({ grant_type: "refresh_token", refresh_token: body.refresh_token });
  await post({ ...password, password: "wrong horse" });
  for (const secret of ["horse", body.token, body.refresh_token]) expect(JSON.stringify(lines)).not.toContain(secret);
});

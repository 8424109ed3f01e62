import type { Access, AuthBackend, AuthResult, ChallengeContext, Grants } from "@registry-gate/auth";
import { basicCredentials } from "@registry-gate/auth-kit";
import { expect, test, vi } from "vitest";
import { createAuthenticator, type RegistryProxyOptions, registryProxy } from "../../src/index.ts";
import { receivedRequest } from "../received-request.ts";
import { errorCode, send } from "./client.ts";
import { startGate, startUpstream } from "./servers.ts";

const pull: Access = { type: "repository", name: "team/app", action: "pull" };
const manifest = "/v2/team/app/manifests/v1";

/** Knows tokens by their grants, and asks for one. */
function tokens(granted: Readonly<Record<string, Grants>>) {
  const authenticate = vi.fn(
    async ({ credentials }: Parameters<AuthBackend["authenticate"]>[0]): Promise<AuthResult> => {
      const secret = credentials?.scheme === "basic" ? credentials.password : credentials?.token;
      if (secret === undefined) return { status: "abstained" };
      const grants = granted[secret];
      if (grants === undefined) return { status: "rejected", reason: "unknown token" };
      const identity = { subject: "alice", username: "alice", groups: [], backend: "tokens" };
      return { status: "authenticated", identity, grants };
    },
  );
  const challenge = vi.fn(({ accesses, error, origin }: ChallengeContext) => ({
    scheme: "Bearer",
    parameters: {
      realm: `${origin}/v2/auth`,
      scope: accesses.map(({ type, name, action }) => `${type}:${name}:${action}`).join(" "),
      ...(error !== undefined && { error }),
    },
  }));
  return { id: "tokens", authenticate, challenge };
}

async function gateWith(granted: Readonly<Record<string, Grants>>, options: Partial<RegistryProxyOptions> = {}) {
  const upstream = await startUpstream((request, response) => {
    request.resume();
    response.end("{}");
  });
  const backend = tokens(granted);
  return { ...(await startGate({ upstream, backends: [backend], ...options })), backend };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const basic = (password: string) => ({ authorization: `Basic ${Buffer.from(`alice:${password}`).toString("base64")}` });

test("limits a login to its grants, and challenges a Bearer token with too narrow grants", async () => {
  const gate = await gateWith({ narrow: [pull] });
  const ask = (method: string, headers: Record<string, string>, path = manifest) =>
    send(gate.port, { method, path, headers });
  for (const headers of [bearer("narrow"), basic("narrow")]) {
    expect((await ask("GET", headers)).status).toBe(200);
    expect((await ask("GET", headers, "/v2/")).status).toBe(200);
  }
  const refused = await ask("DELETE", basic("narrow"));
  expect([refused.status, errorCode(refused)]).toEqual([403, "DENIED"]);

  const narrow = await ask("PUT", bearer("narrow"));
  expect([narrow.status, errorCode(narrow)]).toEqual([401, "UNAUTHORIZED"]);
  expect(narrow.headers["www-authenticate"]).toBe(
    `Bearer realm="${gate.url}/v2/auth",scope="repository:team/app:push",error="insufficient_scope"`,
  );
  expect(gate.records.at(-1)).toMatchObject({
    decision: "denied",
    reason: "the login's grants do not include push on team/app",
    principal: { kind: "user", identity: { username: "alice" }, grants: [pull], via: "bearer" },
  });
});

test("responds with 403 where the rules do not allow it, whatever the grants", async () => {
  const gate = await gateWith({ wide: [{ ...pull, name: "**", action: "*" }], narrow: [] }, { access: [] });
  for (const token of ["wide", "narrow"]) {
    expect((await send(gate.port, { path: manifest, headers: bearer(token) })).status).toBe(403);
  }
});

test("challenges a rejected Bearer token with invalid_token, and a rejected password without an error", async () => {
  const gate = await gateWith({});
  const challengeTo = async (headers: Record<string, string>) =>
    (await send(gate.port, { path: manifest, headers })).headers["www-authenticate"];
  expect(await challengeTo(bearer("unknown"))).toContain('error="invalid_token"');
  expect(await challengeTo(basic("unknown"))).not.toContain("error=");
  expect(await challengeTo({})).not.toContain("error=");
});

test("requests the catalog by the scope that token servers use", async () => {
  const gate = await gateWith({ narrow: [pull] });
  const catalog = await send(gate.port, { path: "/v2/_catalog", headers: bearer("narrow") });
  expect(catalog.status).toBe(401);
  expect(catalog.headers["www-authenticate"]).toContain('scope="registry:catalog:*",error="insufficient_scope"');
});

test("shares the login cache and the throttle between the registry and a form of the app", async () => {
  const backend = tokens({ right: [pull] });
  const throttle = { perUserAndAddress: "1/1h", backoff: "1h..1h" };
  const authenticator = createAuthenticator({ backends: [backend], throttle });
  const registry = registryProxy({ upstream: { url: "http://127.0.0.1:1" }, authenticator });
  const request = await receivedRequest({ address: "127.0.0.1" });
  const verify = (password: string) => {
    const credentials = basicCredentials("alice", password);
    if (credentials === undefined) throw new Error("no login can hold it");
    return authenticator.verify(credentials, request, new AbortController().signal);
  };
  expect(await verify("right")).toMatchObject({
    outcome: "authenticated",
    principal: { via: "basic", grants: [pull] },
  });
  const known = await receivedRequest({
    address: "127.0.0.1",
    headers: [["Authorization", basic("right").authorization]],
  });
  expect(authenticator.authenticate(known, () => new AbortController().signal)).toMatchObject({
    outcome: "authenticated",
  });
  expect(backend.authenticate).toHaveBeenCalledTimes(1);
  expect(await verify("wrong")).toMatchObject({ outcome: "rejected" });
  expect(await verify("wrong")).toMatchObject({ outcome: "throttled" });
  // It stays open: the registry is not its owner.
  await registry.close();
  expect(await verify("right")).toMatchObject({ outcome: "authenticated" });
  expect(backend.authenticate).toHaveBeenCalledTimes(2);
  authenticator.close();
});

test("ignores headers and the session when it verifies a form", async () => {
  const people: AuthBackend = {
    id: "people",
    credentialHeaders: ["x-user"],
    authenticate: async ({ header }) => ({ status: "rejected", reason: `saw ${header("x-user").length}` }),
  };
  const session = vi.fn(() => undefined);
  const authenticator = createAuthenticator({ backends: [people], session });
  const headers = [
    ["X-User", "boss"],
    ["Authorization", basic("other").authorization],
  ] as const;
  const request = await receivedRequest({ headers });
  const verdict = await authenticator.verify(
    { scheme: "basic", username: "alice", password: "x" },
    request,
    new AbortController().signal,
  );
  expect(verdict).toEqual({ outcome: "rejected", reason: "people: saw 0" });
  expect(session).not.toHaveBeenCalled();
});

test("refuses an authenticator together with its own options, and anything that is no authenticator", () => {
  const backends = [tokens({})];
  const authenticator = createAuthenticator({ backends });
  const upstream = { url: "http://127.0.0.1:1" };
  const faultsOf = (options: object): unknown => {
    try {
      Reflect.apply(registryProxy, undefined, [{ upstream, ...options }]);
    } catch (error) {
      return error instanceof Error && "faults" in error ? error.faults : error;
    }
    return undefined;
  };
  const message = "must not be combined with authenticator, which has its own";
  for (const beside of [{ backends }, { realm: "x" }, { loginCache: false }, { throttle: false }]) {
    expect(faultsOf({ authenticator, ...beside })).toEqual([{ path: Object.keys(beside), message }]);
  }
  expect(faultsOf({ authenticator: {} })).toEqual([
    { path: ["authenticator"], message: "must be made by createAuthenticator" },
  ]);
  expect(faultsOf({ authenticator, colour: 1 })).toEqual([{ path: ["colour"], message: "is not a known key" }]);
});

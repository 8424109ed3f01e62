import { once } from "node:events";
import { createServer } from "node:http";
import { type AuthBackend, type AuthRequest, type AuthResult, BackendUnavailableError } from "@registry-gate/auth";
import { type Authenticator, createAuthenticator, loginThrottle, registryProxy } from "@registry-gate/core";
import { type BackendStrategyOptions, backendStrategy, passportBackend } from "@registry-gate/passport";
import express from "express";
import passport from "passport";
import { BasicStrategy } from "passport-http";
import { describe, expect, onTestFinished, test } from "vitest";
import { identityOfPerson, verify } from "./people.ts";

const people = await passportBackend(
  { strategy: new BasicStrategy(verify), identity: identityOfPerson },
  { id: "people" },
);

/** Gives every request the same answer, and keeps what it was asked. */
function scripted(answer: () => Promise<AuthResult>, more: Partial<AuthBackend> = {}) {
  const asked: AuthRequest[] = [];
  const backend: AuthBackend = {
    id: "scripted",
    authenticate(request) {
      asked.push(request);
      return answer();
    },
    ...more,
  };
  return { backend, asked };
}

/** An Express app whose one page is behind the strategy. */
async function startApp(
  backend: AuthBackend | Authenticator,
  options?: BackendStrategyOptions,
  registry?: express.RequestHandler,
): Promise<string> {
  const authenticator = new passport.Passport();
  const strategy = backendStrategy(backend, options);
  authenticator.use(strategy);
  const app = express();
  if (registry !== undefined) app.use(registry);
  app.use(express.urlencoded({ extended: false }), express.json());
  app.all("/", authenticator.authenticate(strategy.name, { session: false }), (request, response) => {
    response.json(request.user);
  });
  const report: express.ErrorRequestHandler = (error: { status?: number; message: string }, _, response, _next) => {
    response.status(error.status ?? 500).send(error.message);
  };
  app.use(report);
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("not listening on a port");
  return `http://127.0.0.1:${address.port}/`;
}

const basic = (login: string) => ({ authorization: `Basic ${Buffer.from(login).toString("base64")}` });
const form = (fields: Record<string, string>) => ({ method: "POST", body: new URLSearchParams(fields) });

describe("a strategy of a backend, in passport and Express", () => {
  test("signs in whom the backend lets in, and makes of them the app's user", async () => {
    const app = await startApp(people);
    const answer = await fetch(app, { headers: basic("alice:alice's canary") });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      subject: "alice",
      username: "alice",
      groups: ["pushers", "readers"],
      backend: "people",
    });
    const own = await startApp(people, { user: async ({ username }) => ({ row: 7, username }) });
    expect(await (await fetch(own, { headers: basic("alice:alice's canary") })).json()).toEqual({
      row: 7,
      username: "alice",
    });
  });

  test("leaves the revision of an identity out of the app's user", async () => {
    const identity = { subject: "alice", username: "alice", groups: [], backend: "scripted" };
    const { backend } = scripted(async () => ({
      status: "authenticated",
      identity: { ...identity, revision: "derived from the password" },
    }));
    for (const options of [{}, { user: (given: object) => ({ ...given }) }]) {
      const response = await fetch(await startApp(backend, options), { headers: basic("alice:x") });
      expect(await response.json()).toEqual(identity);
    }
  });

  test("challenges whom the backend rejects or does not know, and who brings nothing", async () => {
    const app = await startApp(people, { realm: 'The "portal"' });
    for (const headers of [basic("alice:wrong"), basic("carol:x"), {}]) {
      const answer = await fetch(app, { headers });
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toBe('Basic realm="The \\"portal\\""');
    }
  });

  test("asks for what the backend itself asks for", async () => {
    const challenge = () => ({ scheme: "Bearer", parameters: { realm: "tokens" } });
    const app = await startApp(scripted(async () => ({ status: "abstained" }), { challenge }).backend);
    expect((await fetch(app)).headers.get("www-authenticate")).toBe('Bearer realm="tokens"');
  });

  test("asks the backend about nothing that is malformed", async () => {
    const { backend, asked } = scripted(async () => ({ status: "abstained" }));
    const app = await startApp(backend);
    for (const authorization of ["Basic x", "Digest", "Basic"]) {
      expect((await fetch(app, { headers: { authorization } })).status).toBe(400);
    }
    expect(asked).toEqual([]);
  });

  test("gives the backend its own headers and the peer, and no other header", async () => {
    const { backend, asked } = scripted(async () => ({ status: "abstained" }), { credentialHeaders: ["x-user"] });
    await fetch(await startApp(backend), { headers: { "x-user": "alice", cookie: "session=1" } });
    expect(asked[0]?.peer).toEqual({ address: "127.0.0.1", unixSocket: false });
    expect([asked[0]?.header("x-user"), asked[0]?.header("cookie")]).toEqual([["alice"], []]);
  });

  test("tells two users from a wrong password, and an outage from both", async () => {
    const conflicting = scripted(async () => ({ status: "conflicting", reason: "alice and bob" }));
    expect((await fetch(await startApp(conflicting.backend))).status).toBe(400);
    for (const error of [new BackendUnavailableError("scripted", "canary"), new Error("canary")]) {
      const broken = scripted(() => Promise.reject(error));
      const answer = await fetch(await startApp(broken.backend));
      expect([answer.status, await answer.text()]).toEqual([503, "the authentication service is unavailable"]);
    }
  });

  test("rejects a login whose identity the app cannot map to a user", async () => {
    const app = await startApp(people, {
      user: () => {
        throw new Error("canary");
      },
    });
    expect((await fetch(app, { headers: basic("alice:alice's canary") })).status).toBe(503);
  });

  test("gives up when the backend does not end, and when the client goes", async () => {
    const never = scripted(() => new Promise(() => {}));
    const leaving = new AbortController();
    const patient = await startApp(never.backend, { timeout: "1h" });
    const left = fetch(patient, { signal: leaving.signal }).catch(() => "left");
    await expect.poll(() => never.asked.length).toBe(1);
    expect(never.asked[0]?.signal.aborted).toBe(false);
    leaving.abort();
    expect(await left).toBe("left");
    await expect.poll(() => never.asked[0]?.signal.aborted).toBe(true);

    const late = new BackendUnavailableError("scripted", "late");
    const slow = scripted(
      () =>
        new Promise((_, reject) => slow.asked[0]?.signal.addEventListener("abort", () => reject(late), { once: true })),
    );
    expect((await fetch(await startApp(slow.backend, { timeout: 20 }))).status).toBe(503);
  });
});

describe("a strategy of a backend for a form", () => {
  const options: BackendStrategyOptions = { from: "form", name: "login" };

  test("signs in by the fields of the form", async () => {
    const app = await startApp(people, options);
    const answer = await fetch(app, form({ username: "alice", password: "alice's canary" }));
    expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ username: "alice" })]);
    const named = await startApp(people, { ...options, formFields: { username: "login", password: "word" } });
    expect((await fetch(named, form({ login: "bob", word: "bob's canary" }))).status).toBe(200);
    expect((await fetch(named, form({ username: "bob", password: "bob's canary" }))).status).toBe(401);
  });

  test("takes nothing that a Basic login could not hold, and nothing but text", async () => {
    const { backend, asked } = scripted(async () => ({ status: "abstained" }));
    const app = await startApp(backend, options);
    const attempts: RequestInit[] = [
      form({}),
      form({ username: "alice" }),
      form({ username: "alice", password: "" }),
      form({ username: "alice:x", password: "y" }),
      form({ username: "alice\n", password: "y" }),
      ...[{ username: ["alice"], password: "x" }, { username: { $ne: null }, password: { $ne: null } }, [], null].map(
        (body) => ({
          method: "POST",
          body: JSON.stringify(body),
          headers: { "content-type": "application/json" },
        }),
      ),
    ];
    for (const attempt of attempts) {
      const answer = await fetch(app, attempt);
      expect(answer.status, String(attempt.body)).toBeGreaterThanOrEqual(400);
      // A challenge would make a browser ask by a window of its own.
      expect(answer.headers.get("www-authenticate")).toBeNull();
    }
    expect(asked).toEqual([]);
  });

  test("does not look at headers, and asks in one form of Unicode", async () => {
    const { backend, asked } = scripted(async () => ({ status: "rejected", reason: "canary" }), {
      credentialHeaders: ["x-user"],
    });
    const app = await startApp(backend, options);
    expect((await fetch(app, { headers: { ...basic("alice:alice's canary"), "x-user": "alice" } })).status).toBe(401);
    expect(asked).toEqual([]);
    const headers = { ...basic("alice:alice's canary"), "x-user": "alice" };
    expect((await fetch(app, { ...form({ username: "a\u0308", password: "x" }), headers })).status).toBe(401);
    expect(asked[0]?.credentials).toEqual({ scheme: "basic", username: "ä", password: "x" });
    expect(asked[0]?.header("x-user")).toEqual([]);
  });
});

test("a time that is none is refused", () => {
  expect(() => backendStrategy(people, { timeout: "soon" })).toThrow("timeout: must be a duration");
});

describe("the throttle of a strategy", () => {
  test("asks no backend after too many failures, and responds with 429 and Retry-After", async () => {
    const { backend, asked } = scripted(async () => ({ status: "rejected", reason: "wrong" }));
    const app = await startApp(backend, { throttle: { perUserAndAddress: "2/1h", backoff: "1h..1h" } });
    for (let guess = 0; guess < 2; guess++) {
      expect((await fetch(app, { headers: basic("alice:wrong") })).status).toBe(401);
    }
    const answer = await fetch(app, { headers: basic(" ALICE :wrong") });
    expect(answer.status).toBe(429);
    expect(await answer.text()).toBe("too many failed logins of this user from this address");
    expect(asked).toHaveLength(2);
    expect((await fetch(app, { headers: basic("bob:wrong") })).status).toBe(401);
  });

  test("limits failures by default, and does not where it is told not to", async () => {
    const { backend } = scripted(async () => ({ status: "abstained" }));
    const options = { from: "form" } as const;
    const guess = async (app: string): Promise<number> =>
      (await fetch(app, form({ username: "alice", password: "wrong" }))).status;
    const limited = await startApp(backend, options);
    const unlimited = await startApp(backend, { ...options, throttle: false });
    const statuses = (app: string): Promise<number[]> => Promise.all(Array.from({ length: 30 }, () => guess(app)));
    expect(await statuses(limited)).toContain(429);
    expect(new Set(await statuses(unlimited))).toEqual(new Set([401]));
  });

  test("counts clients behind a trusted proxy apart", async () => {
    const { backend } = scripted(async () => ({ status: "rejected", reason: "wrong" }));
    const throttle = { perUserAndAddress: "1/1h", backoff: "1h..1h" };
    const guess = async (app: string, address: string): Promise<number> =>
      (await fetch(app, { headers: { ...basic("alice:wrong"), "X-Forwarded-For": address } })).status;
    const app = await startApp(backend, { throttle, trustedProxies: ["127.0.0.1"] });
    expect([await guess(app, "192.0.2.1"), await guess(app, "192.0.2.1"), await guess(app, "192.0.2.2")]).toEqual([
      401, 429, 401,
    ]);
    const untrusting = await startApp(backend, { throttle });
    expect([await guess(untrusting, "192.0.2.1"), await guess(untrusting, "192.0.2.2")]).toEqual([401, 429]);
  });

  test("shares its count with the registry", async () => {
    const throttle = loginThrottle({ perUserAndAddress: "1/1h", backoff: "1h..1h" });
    const { backend } = scripted(async () => ({ status: "rejected", reason: "wrong" }));
    const registry = registryProxy({ upstream: { url: "http://127.0.0.1:1" }, backends: [backend], throttle });
    onTestFinished(() => registry.close());
    const app = await startApp(backend, { throttle, from: "form" }, registry);
    expect((await fetch(new URL("/v2/", app), { headers: basic("alice:wrong") })).status).toBe(401);
    expect((await fetch(app, form({ username: "Alice", password: "right" }))).status).toBe(429);
  });

  test("with the registry's authenticator, shares its count and what it remembers", async () => {
    const identity = { subject: "alice", username: "alice", groups: [], backend: "scripted" };
    const { backend, asked } = scripted(async () => ({ status: "rejected", reason: "wrong" }));
    const authenticate: AuthBackend["authenticate"] = async (request) => {
      asked.push(request);
      const right = request.credentials?.scheme === "basic" && request.credentials.password === "right";
      return right ? { status: "authenticated", identity } : { status: "rejected", reason: "wrong" };
    };
    const authenticator = createAuthenticator({
      backends: [{ ...backend, authenticate }],
      throttle: { perUserAndAddress: "1/1h", backoff: "1h..1h" },
    });
    const registry = registryProxy({ upstream: { url: "http://127.0.0.1:1" }, authenticator });
    onTestFinished(async () => {
      await registry.close();
      authenticator.close();
    });
    const app = await startApp(authenticator, { from: "form", name: "login" }, registry);
    const registryAnswers = async (password: string): Promise<number> =>
      (await fetch(new URL("/v2/", app), { headers: basic(`alice:${password}`) })).status;
    // There is no registry behind it: that it is asked says that the login is good.
    expect(await registryAnswers("right")).toBe(502);
    expect((await fetch(app, form({ username: "alice", password: "right" }))).status).toBe(200);
    expect(asked).toHaveLength(1);
    expect((await fetch(app, form({ username: "alice", password: "wrong" }))).status).toBe(401);
    expect(await registryAnswers("wrong")).toBe(429);
    // Who is remembered is not kept out by somebody else's guesses.
    expect((await fetch(app, form({ username: "alice", password: "right" }))).status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  test("refuses what an authenticator has already", () => {
    const { backend } = scripted(async () => ({ status: "abstained" }));
    const authenticator = createAuthenticator({ backends: [backend, { ...backend, id: "other" }] });
    expect(backendStrategy(authenticator).name).toBe("scripted+other");
    for (const options of [{ realm: "x" }, { throttle: false }, { trustedProxies: [] }] as const) {
      expect(() => backendStrategy(authenticator, options)).toThrow("cannot be combined with an authenticator");
    }
    authenticator.close();
  });

  test("counts neither an outage nor a request without credentials", async () => {
    const { backend } = scripted(async () => {
      throw new BackendUnavailableError("scripted", "down");
    });
    const app = await startApp(backend, { throttle: { perUserAndAddress: "1/1h", perAddress: "1/1h" } });
    for (let attempt = 0; attempt < 5; attempt++) {
      expect((await fetch(app, { headers: basic("alice:wrong") })).status).toBe(503);
      expect((await fetch(app)).status).toBe(503);
    }
  });

  test.each<[BackendStrategyOptions, (string | number)[]]>([
    [{ throttle: { perAddress: "much" } }, ["throttle", "perAddress"]],
    [{ trustedProxies: ["everybody"] }, ["trustedProxies", 0]],
  ])("refuses the options %j", (options, path) => {
    const { backend } = scripted(async () => ({ status: "abstained" }));
    let caught: unknown;
    try {
      backendStrategy(backend, options);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code: "INVALID_OPTIONS", faults: [{ path }] });
  });
});

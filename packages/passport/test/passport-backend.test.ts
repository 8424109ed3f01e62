import { inspect } from "node:util";
import { type AuthResult, BackendUnavailableError, InvalidOptionsError } from "@registry-gate/auth";
import { authRequest, basicAsk, bearerAsk } from "@registry-gate/auth-testkit";
import {
  type PassportBackendOptions,
  passportBackend,
  type StrategyActions,
  type StrategyRequest,
} from "@registry-gate/passport";
import { describe, expect, test } from "vitest";

type Behaviour = (this: StrategyActions, request: StrategyRequest, options: object) => unknown;

const alice = basicAsk("alice", "hunter2");
const named = (user: { name: string }) => ({ username: user.name });

/** What becomes of a login of alice where the strategy behaves so. */
function asked(
  authenticate: Behaviour,
  options: Partial<PassportBackendOptions> = {},
  signal?: AbortSignal,
): Promise<AuthResult> {
  const backend = passportBackend({ name: "scripted", authenticate }, { identity: named, ...options });
  return backend.authenticate(authRequest(alice, signal));
}

const unavailable = (reason: string | RegExp) =>
  expect.objectContaining({
    code: "BACKEND_UNAVAILABLE",
    backend: "scripted",
    message: expect.stringMatching(reason),
  });

describe("what a strategy answers", () => {
  test.each<[string, Behaviour, AuthResult]>([
    [
      "success",
      function () {
        this.success({ name: "alice" });
      },
      {
        status: "authenticated",
        identity: { subject: "alice", username: "alice", groups: [], backend: "scripted" },
      },
    ],
    [
      "failure",
      function () {
        this.fail();
      },
      { status: "rejected", reason: "the strategy says no" },
    ],
    [
      "failure with a message",
      function () {
        this.fail({ message: "locked out" }, 403);
      },
      { status: "rejected", reason: "the strategy says: locked out" },
    ],
    [
      "failure with a message in the place of the challenge",
      function () {
        this.fail("Wrong password");
      },
      { status: "rejected", reason: "the strategy says: Wrong password" },
    ],
    [
      "failure with a word that is no scheme",
      function () {
        this.fail("Unauthorized");
      },
      { status: "rejected", reason: "the strategy says: Unauthorized" },
    ],
    [
      "failure with a challenge of the login's scheme",
      function () {
        this.fail('basic realm="x"');
      },
      { status: "rejected", reason: "the strategy says no" },
    ],
    [
      "failure with a challenge of another scheme",
      function () {
        this.fail('Bearer realm="x"');
      },
      { status: "abstained" },
    ],
    [
      "failure with another scheme alone",
      function () {
        this.fail("Negotiate");
      },
      { status: "abstained" },
    ],
    [
      "failure because it found nothing",
      function () {
        this.fail({ message: "Missing credentials" }, 400);
      },
      { status: "abstained" },
    ],
    [
      "failure with a status alone",
      function () {
        this.fail(400);
      },
      { status: "abstained" },
    ],
    [
      "redirect",
      function () {
        this.redirect("https://idp.example.com/", 302);
      },
      { status: "abstained" },
    ],
    [
      "pass",
      function () {
        this.pass();
      },
      { status: "abstained" },
    ],
    [
      "twice, of which the first counts",
      function () {
        this.fail();
        this.success({ name: "alice" });
      },
      { status: "rejected", reason: "the strategy says no" },
    ],
  ])("as %s", async (_, behaviour, expected) => {
    expect(await asked(behaviour)).toEqual(expected);
  });

  test.each<[string, Behaviour, RegExp]>([
    [
      "an error",
      function () {
        this.error(new Error("the database is down"));
      },
      /^scripted: the strategy failed: the database is down$/,
    ],
    [
      "something else as an error",
      function () {
        this.error("away");
      },
      /: away$/,
    ],
    [
      "a throw",
      () => {
        throw new TypeError("x is not a function");
      },
      /x is not a function$/,
    ],
    [
      "a promise that is rejected",
      async () => {
        throw new Error("later");
      },
      /later$/,
    ],
    [
      "a failure of the server's own",
      function () {
        this.fail(new Error("connect ECONNREFUSED"), 500);
      },
      /the strategy says: connect ECONNREFUSED$/,
    ],
    [
      "too many requests",
      function () {
        this.fail(429);
      },
      /the strategy says no$/,
    ],
    [
      "a success that is nobody",
      function () {
        this.success(undefined);
      },
      /whom the strategy let in: there is no user$/,
    ],
    [
      "a success that is false",
      function () {
        this.success(false);
      },
      /there is no user$/,
    ],
    ["nothing in time", () => {}, /^scripted: the strategy did not answer within 30 ms$/],
    ["a promise and nothing else", async () => {}, /did not answer within 30 ms$/],
  ])("as %s, is a fault", async (_, behaviour, reason) => {
    const answer = asked(behaviour, { timeout: 30 });
    await expect(answer).rejects.toBeInstanceOf(BackendUnavailableError);
    await expect(answer).rejects.toEqual(unavailable(reason));
  });
});

describe("the answer is no longer waited for", () => {
  test("when the signal aborts", async () => {
    const leaving = new AbortController();
    const answer = asked(() => leaving.abort(), {}, leaving.signal);
    await expect(answer).rejects.toEqual(unavailable("no longer wanted"));
  });

  test("when it has aborted before, and the strategy is not asked at all", async () => {
    let count = 0;
    await expect(asked(() => count++, {}, AbortSignal.abort())).rejects.toEqual(unavailable("no longer wanted"));
    expect(count).toBe(0);
  });

  test("when the function that tells who it is does not end", async () => {
    const letIn: Behaviour = function () {
      this.success({ name: "alice" });
    };
    const identity = () => new Promise<never>(() => {});
    await expect(asked(letIn, { identity, timeout: 30 })).rejects.toEqual(unavailable("did not answer within 30 ms"));
  });
});

describe("who a strategy's user is", () => {
  const letIn: Behaviour = function () {
    this.success({ name: "a\u0308lice" }, { from: "info" });
  };

  test("is told by the function, of the user and the strategy's info, in one form of Unicode", async () => {
    const identity = async (user: { name: string }, info: { from: string }) => ({
      username: user.name,
      subject: "cn=1",
      groups: ["o\u0308l", "öl", "b"],
      claims: { from: info.from },
    });
    expect(await asked(letIn, { identity, id: "scripted" })).toEqual({
      status: "authenticated",
      identity: {
        subject: "cn=1",
        username: "älice",
        groups: ["öl", "b"],
        claims: { from: "info" },
        backend: "scripted",
      },
    });
  });

  test.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("no such column");
      },
    ],
    [
      "is rejected",
      async () => {
        throw new Error("no such column");
      },
    ],
    ["gives nothing", () => undefined],
    ["gives no name", () => ({ groups: [] })],
    ["gives an empty name", () => ({ username: "" })],
    ["gives a number", () => ({ username: 5 })],
    ["gives a name with a line break", () => ({ username: "alice\nbob" })],
    ["gives half a character", () => ({ username: "\ud800" })],
    ["gives one group as text", () => ({ username: "alice", groups: "pushers" })],
    ["gives an empty group", () => ({ username: "alice", groups: [""] })],
    ["gives an expiry that is none", () => ({ username: "alice", expiresAt: Number.NaN })],
  ])("is a fault where the function %s", async (_, identity) => {
    // As from JavaScript, where nothing keeps it from doing so.
    const answer: unknown = Reflect.apply(asked, undefined, [letIn, { identity }]);
    await expect(answer).rejects.toEqual(unavailable("it cannot be told whom the strategy let in"));
  });

  test("is nobody once it has expired", async () => {
    const at = (expiresAt: number) => asked(letIn, { identity: () => ({ username: "a", expiresAt }) });
    expect(await at(Date.now() - 1)).toMatchObject({ status: "rejected" });
    const soon = Date.now() + 60_000;
    expect(await at(soon)).toMatchObject({ status: "authenticated", expiresAt: soon });
  });
});

describe("the request that a strategy sees", () => {
  test("is made anew each time, and what a strategy does to it or to itself does not last", async () => {
    const seen: string[] = [];
    const strategy = {
      count: 0,
      authenticate(this: StrategyActions & { count: number }, request: StrategyRequest) {
        seen.push(`${this.count} ${request.headers.authorization} ${Object.keys(request.session).length}`);
        this.count++;
        request.headers.authorization = "Basic changed";
        request.session.user = "somebody";
        this.success({ name: "alice" });
      },
    };
    const backend = passportBackend(strategy, { identity: named });
    expect(backend.id).toBe("passport");
    for (let round = 0; round < 2; round++) await backend.authenticate(authRequest(alice));
    const header = `Basic ${Buffer.from("alice:hunter2").toString("base64")}`;
    expect(seen).toEqual([`0 ${header} 0`, `0 ${header} 0`]);
  });

  test("holds the login, the backend's own headers, the peer, and nothing else", async () => {
    let seen: unknown;
    const watching: Behaviour = function (request, options) {
      const { get, header, ...data } = request;
      seen = {
        ...data,
        read: [get("Authorization"), header("x-other"), get("__proto__"), get("constructor")],
        options,
      };
      this.pass();
    };
    const backend = passportBackend(
      { authenticate: watching },
      { identity: named, credentialHeaders: ["x-tenant"], authenticateOptions: { session: false } },
    );
    const headers = { "x-tenant": ["blue"], "x-other": ["canary"], cookie: ["canary"] };
    const peer = { address: "192.0.2.1", local: false };
    await backend.authenticate(authRequest({ ...bearerAsk("a.token"), headers, peer }));
    const socket = { remoteAddress: "192.0.2.1" };
    expect(seen).toEqual({
      ...{ method: "GET", url: "/", originalUrl: "/", body: {}, query: {}, params: {} },
      ...{ cookies: {}, signedCookies: {}, session: {}, ip: "192.0.2.1", socket, connection: socket },
      headers: { authorization: "Bearer a.token", "x-tenant": "blue" },
      read: ["Bearer a.token", undefined, undefined, undefined],
      options: { session: false },
    });
  });

  test("does not come with credentials of a scheme that the strategy is not asked about", async () => {
    const seen: unknown[] = [];
    const watching: Behaviour = function (request) {
      seen.push(request.headers, request.body);
      this.fail();
    };
    const backend = passportBackend(
      { authenticate: watching },
      { identity: named, schemes: ["bearer"], credentialHeaders: ["x-tenant"] },
    );
    expect(await backend.authenticate(authRequest(alice))).toEqual({ status: "abstained" });
    expect(seen).toEqual([]);
    await backend.authenticate(authRequest({ ...alice, headers: { "x-tenant": ["blue"] } }));
    expect(seen).toEqual([{ "x-tenant": "blue" }, {}]);
  });

  test("is not made of what a strategy would read as something else", async () => {
    let count = 0;
    const backend = passportBackend({ authenticate: () => count++ }, { identity: named });
    for (const ask of [basicAsk("alice:x", "hunter2"), basicAsk("alice", "")]) {
      expect(await backend.authenticate(authRequest(ask))).toMatchObject({ status: "rejected" });
    }
    expect(count).toBe(0);
  });
});

test("no secret of the request is told, whatever a strategy says", async () => {
  const encoded = Buffer.from("alice:hunter2").toString("base64");
  const telling: Behaviour[] = [
    function (request) {
      this.error(Object.assign(new Error(`${request.body.password}\n${encoded}`), { config: request }));
    },
    function (request) {
      this.fail(`hunter2 ${request.headers.authorization}`);
    },
    function (request) {
      request.body.password = "changed";
      this.fail({ message: `it was ${encoded}, that is hunter2` });
    },
    function () {
      this.success({ name: "x", password: "hunter2" });
    },
  ];
  for (const behaviour of telling) {
    const identity = ({ password }: { password: string }) => {
      throw new Error(`cannot read ${password}`);
    };
    const told = inspect(await asked(behaviour, { identity }).catch((error: unknown) => error), {
      depth: 10,
      showHidden: true,
    });
    expect(told).toContain("[secret]");
    expect(told).not.toContain("hunter2");
    expect(told).not.toContain(encoded);
  }
});

test("an error keeps its stack, for whoever has to find the fault", async () => {
  const error = await asked(function failingHere() {
    throw new RangeError("out of range");
  }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ cause: { name: "RangeError", message: "out of range" } });
  expect(inspect(error)).toContain("failingHere");
});

test("what it holds is let go of once", async () => {
  let count = 0;
  const backend = passportBackend(
    { authenticate: () => {} },
    {
      identity: named,
      close: () => {
        count++;
      },
    },
  );
  await Promise.all([backend.close?.(), backend.close?.()]);
  expect(count).toBe(1);
});

test("options that are wrong are named, all of them", () => {
  const open = () =>
    passportBackend(
      { name: "", authenticate: () => {} },
      { identity: named, timeout: "soon", credentialHeaders: ["x-good", "X-Bad", "authorization"] },
    );
  expect(open).toThrow(InvalidOptionsError);
  expect(open).toThrow(
    expect.objectContaining({
      faults: [["id"], ["timeout"], ["credentialHeaders", 1], ["credentialHeaders", 2]].map((path) =>
        expect.objectContaining({ path }),
      ),
    }),
  );
});

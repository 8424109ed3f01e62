import { InvalidOptionsError } from "@registry-gate/auth";
import { authRequest, basicAsk, bearerAsk } from "@registry-gate/auth-testkit";
import { passportBackend, type StrategyActions, type StrategyRequest } from "@registry-gate/passport";
import { describe, expect, test } from "vitest";
import { alice, asked, type Behaviour, named, scripted, unavailable } from "./scripted-strategy.ts";

describe("who a strategy's user is", () => {
  const letIn: Behaviour = (it) => it.success({ name: "a\u0308lice" }, { from: "info" });

  test("is told by the function, of the user and the strategy's info, in one form of Unicode", async () => {
    const identity = async (user: { name: string }, info: { from: string }) => ({
      username: user.name,
      subject: "cn=1",
      groups: ["o\u0308l", "öl", "b"],
      claims: { from: info.from },
    });
    expect(await asked(letIn, { identity }, { id: "directory" })).toEqual({
      status: "authenticated",
      identity: {
        subject: "cn=1",
        username: "älice",
        groups: ["öl", "b"],
        claims: { from: "info" },
        backend: "directory",
      },
    });
  });

  test.each<[string, () => unknown]>([
    ["is rejected", () => Promise.reject(new Error("no such column"))],
    ["gives nothing", () => undefined],
    ["gives no name", () => ({ groups: [] })],
    ["gives an empty name", () => ({ username: "" })],
    ["gives a number", () => ({ username: 5 })],
    ["gives a name with a line break", () => ({ username: "alice\nbob" })],
    ["gives a name with a blank at its end", () => ({ username: "alice " })],
    ["gives a name with an invisible character", () => ({ username: "ali\u200bce" })],
    ["gives a name of 513 characters", () => ({ username: "a".repeat(513) })],
    ["gives a name with 31 combining marks in a row", () => ({ username: `a${"\u0301".repeat(31)}` })],
    ["gives half a character", () => ({ username: "\ud800" })],
    ["gives one group as text", () => ({ username: "alice", groups: "pushers" })],
    ["gives an expiry that is none", () => ({ username: "alice", expiresAt: Number.NaN })],
    [
      "throws",
      () => {
        throw new Error("no such column");
      },
    ],
  ])("is a fault where the function %s", async (_, identity) => {
    // As from JavaScript, where nothing keeps it from doing so.
    const answer: unknown = Reflect.apply(asked, undefined, [letIn, { identity }]);
    await expect(answer).rejects.toEqual(unavailable("the strategy's user could not be mapped to an identity"));
  });

  test("is in no group that a rule cannot name, but for rules that deny, and the log says so once", async () => {
    const warnings: unknown[] = [];
    const ignore = () => {};
    const log = { debug: ignore, info: ignore, warn: (fields: object) => void warnings.push(fields), error: ignore };
    const groups = ["a", "", 7, null, "b\u0000", "c\u200b", "\ud800", { cn: "d" }];
    const strategy = scripted((it) => it.success({ name: "alice" }));
    const backend = await passportBackend({ strategy, identity: () => ({ username: "alice", groups }) }, { log });
    for (let round = 0; round < 2; round++) {
      expect(await backend.authenticate(authRequest(alice))).toMatchObject({
        status: "authenticated",
        identity: { groups: ["a"], ambiguousGroups: ["7", "b\u0000", "b", "c\u200b", "c"] },
      });
    }
    expect(warnings).toEqual([
      { backend: "scripted", reason: "is a number" },
      { backend: "scripted", reason: "is not a string" },
      { backend: "scripted", reason: "holds a control character" },
      { backend: "scripted", reason: "holds an invisible character" },
      { backend: "scripted", reason: "is not well-formed Unicode" },
    ]);
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
    const backend = await passportBackend({ strategy, identity: named });
    expect(backend.id).toBe("passport");
    for (let round = 0; round < 2; round++) await backend.authenticate(authRequest(alice));
    const header = `Basic ${Buffer.from("alice:hunter2").toString("base64")}`;
    expect(seen).toEqual([`0 ${header} 0`, `0 ${header} 0`]);
  });

  test("holds the login, the backend's own headers, the peer, and nothing else", async () => {
    let seen: unknown;
    const watching = scripted((it, request, options) => {
      const { get, header, ...data } = request;
      const read = [get("Authorization"), header("x-other"), get("__proto__"), get("constructor")];
      seen = { ...data, read, options };
      it.pass();
    });
    const backend = await passportBackend({
      strategy: watching,
      identity: named,
      credentialHeaders: ["x-tenant"],
      authenticateOptions: { session: false },
    });
    const headers = { "x-tenant": ["blue"], "x-other": ["canary"], cookie: ["canary"] };
    const peer = { address: "192.0.2.1", unixSocket: false };
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
    const watching = scripted((it, request) => {
      seen.push(request.headers, request.body);
      it.fail();
    });
    const backend = await passportBackend({
      strategy: watching,
      identity: named,
      schemes: ["bearer"],
      credentialHeaders: ["x-tenant"],
    });
    expect(await backend.authenticate(authRequest(alice))).toEqual({ status: "abstained" });
    expect(seen).toEqual([]);
    await backend.authenticate(authRequest({ ...alice, headers: { "x-tenant": ["blue"] } }));
    expect(seen).toEqual([{ "x-tenant": "blue" }, {}]);
  });

  test("is not made of what a strategy would read as something else", async () => {
    let count = 0;
    const backend = await passportBackend({ strategy: scripted(() => count++), identity: named });
    for (const ask of [basicAsk("alice:x", "hunter2"), basicAsk("alice", "")]) {
      expect(await backend.authenticate(authRequest(ask))).toMatchObject({ status: "rejected" });
    }
    expect(count).toBe(0);
  });
});

test("what it holds is let go of once", async () => {
  let count = 0;
  const close = (): void => {
    count++;
  };
  const backend = await passportBackend({ strategy: scripted(() => {}), identity: named, close });
  await Promise.all([backend.close?.(), backend.close?.()]);
  expect(count).toBe(1);
});

test("names every wrong option", async () => {
  const error = await passportBackend({
    strategy: scripted(() => {}),
    identity: named,
    timeout: "soon",
    credentialHeaders: ["x-good", "X-Bad", "authorization"],
  }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InvalidOptionsError);
  const paths = [["credentialHeaders", 1], ["credentialHeaders", 2], ["timeout"]];
  expect(error).toMatchObject({ faults: paths.map((path) => expect.objectContaining({ path })) });
});

test("requires an id for a strategy with an empty name", async () => {
  const options = { strategy: { name: "", authenticate: () => {} }, identity: named };
  await expect(passportBackend(options)).rejects.toMatchObject({
    faults: [{ path: ["context", "id"], message: "is required: the strategy has no name" }],
  });
  expect((await passportBackend(options, { id: "people" })).id).toBe("people");
});

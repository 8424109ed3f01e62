import { type AuthBackend, type AuthResult, BackendUnavailableError, type Identity } from "@registry-gate/auth";
import { type Ask, authRequest, basicAsk, bearerAsk } from "@registry-gate/auth-testkit";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { accessTokenBackend, createAccessTokens } from "../src/index.ts";
import { createToken } from "../src/token-text.ts";
import { memoryState, otherProcess } from "./memory-state.ts";
import { alice, bob, openPeople, openTokens, silentUsers } from "./people.ts";

const ask = (backend: AuthBackend, request: Ask): Promise<AuthResult> => backend.authenticate(authRequest(request));
const statusOf = async (backend: AuthBackend, request: Ask): Promise<string> => (await ask(backend, request)).status;

/** Time is the test's own; files and their watchers go on. */
function ownTime(): void {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "Date"] }));
  afterEach(() => void vi.useRealTimers());
}

describe("an access token", () => {
  ownTime();

  it("signs in as its owner, whatever user name stands beside it, and as Bearer", async () => {
    const { backend, tokens } = await openTokens();
    const { token, accessToken } = await tokens.create({ owner: alice, name: "laptop", expires: "1h" });
    for (const request of [basicAsk("alice", token), basicAsk("token", token), bearerAsk(token)]) {
      expect(await ask(backend, request)).toEqual({
        status: "authenticated",
        identity: {
          subject: "people:alice",
          username: "alice",
          groups: ["pushers", "readers"],
          backend: "tokens",
          revision: expect.stringMatching(/^[0-9a-f]{64}$/),
          claims: { accessToken: accessToken.id },
        },
        expiresAt: Date.now() + 3_600_000,
        rememberFor: 500,
      });
    }
  });

  it("is rechecked for tokens that were issued for it, until it is revoked", async () => {
    const { backend, tokens } = await openTokens();
    const { token, accessToken } = await tokens.create({ owner: alice, name: "laptop", expires: "1h" });
    const result = await ask(backend, bearerAsk(token));
    if (result.status !== "authenticated") throw new Error(result.status);
    const holds = (identity: Identity) => backend.recheck?.(identity, authRequest(bearerAsk("a.b.c")));
    expect(await holds(result.identity)).toBeGreaterThan(0);
    expect(await holds({ ...result.identity, subject: "people:bob" })).toBeUndefined();
    const { revision: _, ...without } = result.identity;
    expect(await holds(without)).toBeUndefined();
    await tokens.revoke(accessToken.id);
    expect(await holds(result.identity)).toBeUndefined();
  });

  it("gives its scopes as grants", async () => {
    const { backend, tokens } = await openTokens();
    const scopes = ["repository:team/**:pull"];
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "1h", scopes });
    expect(await ask(backend, bearerAsk(token))).toMatchObject({
      grants: [{ type: "repository", name: "team/**", action: "pull" }],
    });
  });

  it("is rejected without a look at the store where its checksum does not fit", async () => {
    const state = memoryState();
    const { backend } = await openTokens({}, state);
    for (const text of ["rga_", "rga_a password", `${createToken()}x`, createToken().slice(0, -1)]) {
      expect(await statusOf(backend, basicAsk("alice", text))).toBe("rejected");
    }
    expect(state.operations).toEqual([]);
  });

  it("is rejected from its expiry on", async () => {
    const { backend, tokens } = await openTokens();
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "1s" });
    vi.advanceTimersByTime(999);
    expect(await statusOf(backend, bearerAsk(token))).toBe("authenticated");
    vi.advanceTimersByTime(1);
    expect(await statusOf(backend, bearerAsk(token))).toBe("rejected");
    expect(await tokens.list()).toEqual([]);
  });

  it("is rejected at once where this process has revoked it, and says so to whoever remembers logins", async () => {
    const { backend, tokens } = await openTokens();
    const { token, accessToken } = await tokens.create({ owner: alice, name: "a", expires: "1h" });
    expect(await statusOf(backend, bearerAsk(token))).toBe("authenticated");
    const changed = vi.fn();
    backend.onChange?.(changed);
    expect(await tokens.revoke(accessToken.id)).toBe(true);
    expect(await statusOf(backend, bearerAsk(token))).toBe("rejected");
    expect(changed.mock.calls).toEqual([["people:alice"]]);
  });

  it("is rejected within half a second where another process has revoked it, remembered or not", async () => {
    const { backend, tokens, state, people } = await openTokens();
    const { token, accessToken } = await tokens.create({ owner: alice, name: "a", expires: "1h" });
    vi.advanceTimersByTime(400);
    const first = await ask(backend, bearerAsk(token));
    expect(first).toMatchObject({ rememberFor: 500 });
    const backends = people === undefined ? [] : [people.users];
    const elsewhere = createAccessTokens({ state: otherProcess(state), backends });
    await elsewhere.revoke(accessToken.id);
    vi.advanceTimersByTime(400);
    // The sum of both memories counts, the backend's and that of whoever remembers its result.
    expect(await ask(backend, bearerAsk(token))).toMatchObject({ status: "authenticated", rememberFor: 100 });
    vi.advanceTimersByTime(100);
    expect(await statusOf(backend, bearerAsk(token))).toBe("rejected");
  });

  it("goes on for half a second while the store is away, and is unavailable from then on", async () => {
    const state = memoryState();
    const { backend, tokens } = await openTokens({}, state);
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "1h" });
    await ask(backend, bearerAsk(token));
    state.mode = "failing";
    expect(await statusOf(backend, bearerAsk(token))).toBe("authenticated");
    vi.advanceTimersByTime(500);
    await expect(ask(backend, bearerAsk(token))).rejects.toThrow(BackendUnavailableError);
    state.mode = "working";
    expect(await statusOf(backend, bearerAsk(token))).toBe("authenticated");
  });

  it.each([
    ["10.1.2.3", "authenticated"],
    ["10.2.0.1", "rejected"],
    ["2001:db8::5", "authenticated"],
    [undefined, "rejected"],
  ])("is good in its networks alone: from %s it is %s, and never remembered", async (client, status) => {
    const { backend, tokens } = await openTokens();
    const networks = ["10.1.0.0/16", "2001:db8::/64"];
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "1h", networks });
    const peer = { address: "10.1.0.1", unixSocket: false };
    const request = { ...authRequest({ ...bearerAsk(token), peer }), client };
    const result = await backend.authenticate(request);
    expect(result.status).toBe(status);
    if (result.status === "authenticated") expect(result.rememberFor).toBe(0);
  });
});

describe("the owner of a token", () => {
  it("is looked up again after recheckOwner, and a token of somebody who is gone is deleted", async () => {
    const people = await openPeople();
    onTestFinished(() => people.close());
    const state = memoryState();
    const { backend, tokens } = await openTokens({ recheckOwner: "100ms" }, state, silentUsers(people.users));
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "30d" });
    expect(await statusOf(backend, bearerAsk(token))).toBe("authenticated");
    await people.write(["bob"]);
    await expect.poll(() => statusOf(backend, bearerAsk(token))).toBe("rejected");
    expect(await tokens.list()).toEqual([]);
    expect(state.text()).not.toContain("alice");
  });

  it("who is gone takes the token along at once where the backend says so", async () => {
    const { backend, tokens, people } = await openTokens();
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "30d" });
    const changed = vi.fn();
    backend.onChange?.(changed);
    expect(await statusOf(backend, bearerAsk(token))).toBe("authenticated");
    await people?.write(["bob"]);
    expect(changed).toHaveBeenCalled();
    expect(await statusOf(backend, bearerAsk(token))).toBe("rejected");
  });

  it("has the groups of now", async () => {
    const { backend, tokens, people } = await openTokens();
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "30d" });
    await ask(backend, bearerAsk(token));
    await people?.write([], "readers: alice\n");
    expect(await ask(backend, bearerAsk(token))).toMatchObject({ identity: { groups: ["readers"] } });
  });

  it("is not looked up again before recheckOwner", async () => {
    vi.useFakeTimers({ toFake: ["performance", "Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const people = await openPeople();
    onTestFinished(() => people.close());
    const lookup = vi.fn(people.users.lookup?.bind(people.users));
    const { backend, tokens } = await openTokens({}, memoryState(), { ...silentUsers(people.users), lookup });
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "30d" });
    await ask(backend, bearerAsk(token));
    lookup.mockResolvedValue(undefined);
    vi.advanceTimersByTime(15 * 60_000 - 1);
    expect(await statusOf(backend, bearerAsk(token))).toBe("authenticated");
    vi.advanceTimersByTime(1);
    expect(await statusOf(backend, bearerAsk(token))).toBe("rejected");
  });

  it("is remembered for no longer when the look-up takes its time", async () => {
    vi.useFakeTimers({ toFake: ["performance", "Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const people = await openPeople();
    onTestFinished(() => people.close());
    const lookup = vi.fn((subject: string, signal: AbortSignal) => {
      vi.advanceTimersByTime(300);
      return people.users.lookup?.(subject, signal) ?? Promise.resolve(undefined);
    });
    const { backend, tokens } = await openTokens({}, memoryState(), { ...silentUsers(people.users), lookup });
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "30d" });
    lookup.mockClear();
    vi.advanceTimersByTime(15 * 60_000);
    expect(await ask(backend, bearerAsk(token))).toMatchObject({ status: "authenticated", rememberFor: 200 });
    expect(lookup).toHaveBeenCalledOnce();
  });

  it("who cannot be looked up makes the token unavailable, and it stays", async () => {
    const people = await openPeople();
    onTestFinished(() => people.close());
    const lookup = vi.fn(people.users.lookup?.bind(people.users));
    const { backend, tokens } = await openTokens({}, memoryState(), { ...silentUsers(people.users), lookup });
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "30d" });
    lookup.mockRejectedValueOnce(new BackendUnavailableError("people", "it is down"));
    const outage = await ask(backend, bearerAsk(token)).catch((error: unknown) => error);
    expect(outage).toBeInstanceOf(BackendUnavailableError);
    expect(outage).toHaveProperty("backend", "tokens");
    expect(await statusOf(backend, bearerAsk(token))).toBe("authenticated");
  });

  it("is looked up once for many requests at the same time", async () => {
    const people = await openPeople();
    onTestFinished(() => people.close());
    const lookup = vi.fn(people.users.lookup?.bind(people.users));
    const { backend, tokens } = await openTokens({}, memoryState(), { ...silentUsers(people.users), lookup });
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "30d" });
    lookup.mockClear();
    await Promise.all(Array.from({ length: 50 }, () => ask(backend, bearerAsk(token))));
    expect(lookup).toHaveBeenCalledTimes(1);
  });

  it("is nobody else, whatever the lookup says", async () => {
    const people = await openPeople();
    onTestFinished(() => people.close());
    const lookup = vi.fn(people.users.lookup?.bind(people.users));
    const { backend, tokens } = await openTokens({}, memoryState(), { ...silentUsers(people.users), lookup });
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "30d" });
    lookup.mockImplementationOnce(async (_, signal) => people.users.lookup?.("bob", signal));
    await expect(ask(backend, bearerAsk(token))).rejects.toThrow(BackendUnavailableError);
  });

  it("of a backend that is no longer configured is rejected, and the token stays", async () => {
    const state = memoryState();
    const { tokens } = await openTokens({}, state);
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "30d" });
    const alone = accessTokenBackend({}, { id: "tokens", state });
    expect(await ask(alone, bearerAsk(token))).toEqual({
      status: "rejected",
      reason: "the access token's owner cannot be found: people is not configured",
    });
    expect(await tokens.list(alice)).toHaveLength(1);
  });
});

describe("an owner who is gone, and whose token nobody uses", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "Date", "setInterval", "clearInterval"] }));
  afterEach(() => void vi.useRealTimers());

  it("takes the token along, so that a later person of the name does not get it", async () => {
    const people = await openPeople();
    let found: Identity | undefined;
    const lookup = async (): Promise<Identity | undefined> => found;
    const users = { ...silentUsers(people.users), lookup };
    found = await people.users.lookup?.("alice", AbortSignal.timeout(10_000));
    const { backend, tokens } = await openTokens({ recheckOwner: "100ms" }, memoryState(), users);
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "1h" });
    const same = found;
    found = undefined;
    vi.advanceTimersByTime(60_000);
    await expect.poll(() => tokens.list()).toEqual([]);
    found = same;
    expect(await statusOf(backend, bearerAsk(token))).toBe("rejected");
  });
});

describe("a robot", () => {
  it("signs in by a name that nobody else has, with the groups that it was given", async () => {
    const { backend, tokens } = await openTokens();
    const owner = { name: "ci", groups: ["builders", "builders"] };
    const { token, accessToken } = await tokens.create({ owner, name: "main", expires: "1h" });
    expect(await ask(backend, basicAsk("robot$ci", token))).toMatchObject({
      identity: {
        subject: "robot$ci",
        username: "robot$ci",
        groups: ["builders"],
        backend: "tokens",
        claims: { accessToken: accessToken.id },
      },
    });
  });
});

describe("the last use", () => {
  ownTime();

  it("is written with its time, address and agent, at most once a minute", async () => {
    const state = memoryState();
    const { backend, tokens } = await openTokens({}, state);
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "1h" });
    const use = async (client: string, agent: string): Promise<void> => {
      await backend.authenticate({ ...authRequest({ ...bearerAsk(token), client }), agent });
    };
    const lastUse = async () => (await tokens.list(alice))[0]?.lastUsed;
    expect(await lastUse()).toBeUndefined();
    const first = Date.now();
    await use("192.0.2.1", "docker/29.0 \u001b[31m");
    await expect.poll(lastUse).toEqual({ time: first, address: "192.0.2.1", agent: "docker/29.0 [31m" });
    vi.advanceTimersByTime(59_999);
    await use("192.0.2.2", "crane");
    expect(state.operations.filter((operation) => operation.startsWith("set access-token/use/"))).toHaveLength(1);
    vi.advanceTimersByTime(1);
    await use("192.0.2.3", "crane");
    await expect.poll(lastUse).toEqual({ time: first + 60_000, address: "192.0.2.3", agent: "crane" });
  });

  it("delays nobody, and is given up where it cannot be written", async () => {
    const state = memoryState();
    const written = vi.fn(() => new Promise<never>(() => {}));
    const { backend, tokens } = await openTokens({}, state);
    const { token } = await tokens.create({ owner: bob, name: "a", expires: "1h" });
    const { set } = state;
    state.set = written;
    expect(await statusOf(backend, bearerAsk(token))).toBe("authenticated");
    expect(written).toHaveBeenCalledTimes(1);
    state.set = async () => {
      throw new Error("it is full");
    };
    vi.advanceTimersByTime(60_000);
    expect(await statusOf(backend, bearerAsk(token))).toBe("authenticated");
    state.set = set;
  });

  it("never brings a revoked token back", async () => {
    const state = memoryState();
    const { backend, tokens } = await openTokens({}, state);
    const { token, accessToken } = await tokens.create({ owner: alice, name: "a", expires: "1h" });
    const held = Promise.withResolvers<void>();
    const { set } = state;
    state.set = async (key, value, ttl) => {
      await held.promise;
      await set(key, value, ttl);
    };
    await ask(backend, bearerAsk(token));
    await tokens.revoke(accessToken.id);
    held.resolve();
    await backend.close?.();
    expect(await tokens.list()).toEqual([]);
    expect(await statusOf(backend, bearerAsk(token))).toBe("rejected");
  });
});

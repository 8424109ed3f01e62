import { setTimeout as delay } from "node:timers/promises";
import { type AuthBackend, type AuthResult, BackendUnavailableError } from "@registry-gate/auth";
import { describe, expect, it } from "vitest";
import { type CounterStore, loginThrottle, type ThrottleOptions } from "../../src/index.ts";
import { type GateSettings, startGate, startUpstream, type TestGate } from "./servers.ts";

const office = "203.0.113.7";
const elsewhere = "198.51.100.4";
/** Without a pause that a loaded machine could sit out between two requests. */
const strict: ThrottleOptions = { perAddress: "8/1h", perUserAndAddress: "3/1h", backoff: "1h..1h" };

interface Users extends AuthBackend {
  /** The user names and tokens that the backend was asked about. */
  readonly asked: string[];
  /** Answers nothing until it is resolved. */
  hold: Promise<void>;
}

/** Knows whoever has the password `right`; the user `outage` is where the directory fails. */
function users(): Users {
  return {
    id: "users",
    asked: [],
    hold: Promise.resolve(),
    async authenticate({ credentials }): Promise<AuthResult> {
      if (credentials === undefined) return { status: "abstained" };
      const username = credentials.scheme === "basic" ? credentials.username : "robot";
      this.asked.push(username);
      await this.hold;
      if (username === "outage") throw new BackendUnavailableError("users", "the directory is down");
      const secret = credentials.scheme === "basic" ? credentials.password : credentials.token;
      if (secret !== "right") return { status: "rejected", reason: "wrong password" };
      return { status: "authenticated", identity: { subject: username, username, groups: [], backend: "users" } };
    },
  };
}

interface ThrottledGate {
  readonly gate: TestGate;
  readonly users: Users;
  get(address: string, authorization?: string): Promise<Response>;
  login(address: string, username: string, password: string): Promise<number>;
}

async function gateWith(settings: Partial<GateSettings> = {}): Promise<ThrottledGate> {
  const backend = users();
  const upstream = await startUpstream((_, response) => void response.end("{}"));
  const gate = await startGate({
    upstream,
    backends: [backend],
    trustedProxies: ["127.0.0.1"],
    throttle: strict,
    ...settings,
  });
  const get: ThrottledGate["get"] = (address, authorization) =>
    fetch(`${gate.url}/v2/`, {
      headers: { "X-Forwarded-For": address, ...(authorization !== undefined && { authorization }) },
    });
  return {
    gate,
    users: backend,
    get,
    login: async (address, username, password) =>
      (await get(address, `Basic ${btoa(`${username}:${password}`)}`)).status,
  };
}

async function times(count: number, act: (index: number) => Promise<number>): Promise<number[]> {
  const statuses: number[] = [];
  for (let index = 0; index < count; index++) statuses.push(await act(index));
  return statuses;
}

describe("the gate", () => {
  it("responds with 429 and Retry-After after too many failures, without asking a backend", async () => {
    const { gate, users, get, login } = await gateWith();
    expect(await times(3, (index) => login(office, "alice", `guess ${index}`))).toEqual([401, 401, 401]);
    const response = await get(office, `Basic ${btoa("alice:right")}`);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(3500);
    expect(response.headers.get("WWW-Authenticate")).toBeNull();
    expect(await response.json()).toEqual({
      errors: [
        {
          code: "TOOMANYREQUESTS",
          message: "too many failed logins",
          detail: { requestId: response.headers.get("x-request-id") },
        },
      ],
    });
    expect(users.asked).toHaveLength(3);
    await expect.poll(() => gate.records.length).toBe(4);
    expect(gate.records[3]).toMatchObject({
      decision: "throttled",
      reason: "too many failed logins of this user from this address",
      status: 429,
      client: office,
    });
  });

  it("accepts a login again after Retry-After", async () => {
    const { get, login } = await gateWith({ throttle: { ...strict, backoff: "1s..1h" } });
    await times(3, () => login(office, "alice", "wrong"));
    const response = await get(office, `Basic ${btoa("alice:right")}`);
    // On a machine that was busy for a second, the pause is over already.
    const seconds = Number(response.headers.get("Retry-After") ?? 0);
    expect(seconds).toBeLessThanOrEqual(1);
    await delay(seconds * 1000);
    expect(await login(office, "alice", "right")).toBe(200);
  });

  it("accepts a cached login despite failed ones", async () => {
    const { login } = await gateWith();
    expect(await login(office, "alice", "right")).toBe(200);
    await times(10, () => login(office, "alice", "wrong"));
    await times(20, (index) => login(office, `user ${index}`, "wrong"));
    expect(await login(office, "alice", "right")).toBe(200);
    expect(await login(office, "bob", "right")).toBe(429);
  });

  it("does not lock out a user for guesses from another address", async () => {
    const { login } = await gateWith();
    await times(50, (index) => login(elsewhere, "alice", `guess ${index}`));
    expect(await login(elsewhere, "alice", "right")).toBe(429);
    expect(await login(office, "alice", "right")).toBe(200);
  });

  it("counts neither requests without credentials nor outages", async () => {
    const { get, login } = await gateWith();
    expect(new Set(await times(30, async () => (await get(office)).status))).toEqual(new Set([401]));
    expect(new Set(await times(30, async () => (await get(office, "Basic Og==")).status))).toEqual(new Set([401]));
    expect(new Set(await times(30, () => login(office, "outage", "right")))).toEqual(new Set([503]));
    expect(await login(office, "alice", "right")).toBe(200);
  });

  it("counts wrong tokens by address", async () => {
    const { get } = await gateWith();
    expect(await times(9, async (index) => (await get(office, `Bearer wrong${index}`)).status)).toEqual([
      ...Array.from({ length: 8 }, () => 401),
      429,
    ]);
    expect((await get(elsewhere, "Bearer right")).status).toBe(200);
  });

  it("counts logins with a shared username by token and address", async () => {
    const backend: Users & AuthBackend = { ...users(), sharedUsernames: ["oauth2"] };
    const { login } = await gateWith({ backends: [backend] });
    expect(await times(6, () => login(office, "oauth2", "expired"))).toEqual([401, 401, 401, 429, 429, 429]);
    expect(await login(office, "oauth2", "right")).toBe(200);
    expect(await times(6, (index) => login(office, "oauth2", `guess ${index}`))).toEqual([
      401, 401, 401, 401, 401, 429,
    ]);
  });

  it("counts a password that begins as a token does by the token, whatever user name stands beside it", async () => {
    const backend: Users & AuthBackend = { ...users(), tokenPrefixes: ["rga_", ""] };
    const { login } = await gateWith({ backends: [backend] });
    expect(await times(5, (index) => login(office, "alice", `rga_guess ${index}`))).toEqual([401, 401, 401, 401, 401]);
    expect(await login(office, "alice", "right")).toBe(200);
    expect(await times(4, (index) => login(elsewhere, "bob", `guess ${index}`))).toEqual([401, 401, 401, 429]);
  });

  it("asks a backend at most as often as failures are allowed, for any number of concurrent guesses", async () => {
    const { users, login } = await gateWith();
    const held = Promise.withResolvers<void>();
    users.hold = held.promise;
    const guesses = Promise.all(Array.from({ length: 499 }, (_, index) => login(office, "alice", `guess ${index}`)));
    await expect.poll(() => users.asked.length).toBe(3);
    held.resolve();
    const statuses = await guesses;
    expect(users.asked).toHaveLength(3);
    expect(statuses.filter((status) => status === 401)).toHaveLength(3);
    expect(statuses.filter((status) => status === 429)).toHaveLength(496);
  });

  it.each([{}, false as const])("accepts many concurrent valid logins, with the cache %j", async (loginCache) => {
    const { login } = await gateWith({ loginCache });
    const logins = Array.from({ length: 60 }, (_, index) => login(office, `user ${index % 20}`, "right"));
    expect(new Set(await Promise.all(logins))).toEqual(new Set([200]));
  });

  it("does not throttle when throttle is false", async () => {
    const { users, login } = await gateWith({ throttle: false });
    expect(new Set(await times(120, () => login(office, "alice", "wrong")))).toEqual(new Set([401]));
    expect(users.asked).toHaveLength(120);
  });

  it("throttles by default after ten failures of a user at an address", async () => {
    const backend = users();
    const upstream = await startUpstream((_, response) => void response.end("{}"));
    const gate = await startGate({ upstream, backends: [backend] });
    const headers = { authorization: `Basic ${btoa("alice:wrong")}` };
    // All at once: the first pause is short.
    const responses = await Promise.all(Array.from({ length: 30 }, () => fetch(`${gate.url}/v2/`, { headers })));
    expect(backend.asked.length).toBeLessThanOrEqual(11);
    expect(responses.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(1);
  });

  it("shares the counts of a given throttle with other logins of the app", async () => {
    const throttle = loginThrottle(strict);
    const { login } = await gateWith({ throttle });
    const { signal } = new AbortController();
    for (let failure = 0; failure < 3; failure++) {
      await throttle.attempt(
        { client: office, username: "alice", signal },
        async () => "failed",
        () => "failed",
      );
    }
    expect(await login(office, "alice", "right")).toBe(429);
  });

  it("responds with 503 when the counter store fails, without asking a backend", async () => {
    const broken = (): Promise<never> => Promise.reject(new Error("the store is down"));
    const store: CounterStore = {
      counters: () => ({ get: broken, add: broken, set: broken, extend: broken, delete: broken }),
    };
    const { gate, users, login } = await gateWith({ throttle: { store } });
    expect(await login(office, "alice", "right")).toBe(503);
    expect(users.asked).toEqual([]);
    expect(gate.logged()).toContain("the store is down");
  });
});

import { InvalidOptionsError } from "@registry-gate/auth";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type AttemptOutcome,
  type CounterStore,
  type LoginThrottle,
  loginThrottle,
  memoryCounters,
  type ThrottleOptions,
} from "../../../src/index.ts";

const { signal } = new AbortController();
const office = "203.0.113.7";
const elsewhere = "198.51.100.4";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const small: ThrottleOptions = { perAddress: "6/1m", perUserAndAddress: "3/5m", backoff: "1s..15m" };

/** `passed`, `failed` or `unknown` where the login was checked, and the seconds to wait where it was not. */
async function login(
  throttle: LoginThrottle,
  client: string | undefined,
  username: string | undefined,
  outcome: AttemptOutcome,
): Promise<AttemptOutcome | number> {
  const result = await throttle.attempt(
    { client, username, signal },
    async () => outcome,
    (given) => given,
  );
  return typeof result === "string" ? result : result.retryAfter;
}

async function fail(
  throttle: LoginThrottle,
  client: string,
  username: string | undefined,
  times: number,
): Promise<void> {
  for (let time = 0; time < times; time++) expect(await login(throttle, client, username, "failed")).toBe("failed");
}

let tokens = 0;

/** Each time with another token. */
async function failTokens(throttle: LoginThrottle, client: string, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const guess = { client, username: undefined, token: `token ${++tokens}`, signal };
    expect(
      await throttle.attempt(
        guess,
        async () => "failed",
        () => "failed",
      ),
    ).toBe("failed");
  }
}

describe("loginThrottle", () => {
  it("does not verify even a valid login after too many failures of the user at the address", async () => {
    const throttle = loginThrottle(small);
    await fail(throttle, office, "alice", 3);
    const check = vi.fn(async () => "passed" as const);
    expect(await throttle.attempt({ client: office, username: "alice", signal }, check, (given) => given)).toEqual({
      outcome: "throttled",
      reason: "too many failed logins of this user from this address",
      retryAfter: 1,
    });
    expect(check).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1000);
    expect(await login(throttle, office, "alice", "passed")).toBe("passed");
  });

  it("never blocks a user for failures at other addresses", async () => {
    const throttle = loginThrottle(small);
    await fail(throttle, elsewhere, "alice", 3);
    for (let stranger = 1; stranger < 200; stranger++) await fail(throttle, `192.0.2.${stranger}`, "alice", 3);
    expect(await login(throttle, office, "alice", "passed")).toBe("passed");
  });

  it("counts all spellings that a directory treats as equal together", async () => {
    const throttle = loginThrottle(small);
    for (const name of ["ALICE", " alice ", "ａｌｉｃｅ"]) await fail(throttle, office, name, 1);
    expect(await login(throttle, office, "alice", "passed")).toBe(1);
    expect(await login(throttle, office, "bob", "passed")).toBe("passed");
  });

  it("blocks an address after too many failed logins of any users", async () => {
    const throttle = loginThrottle(small);
    for (const name of ["a", "b", "c"]) await fail(throttle, office, name, 2);
    expect(await login(throttle, office, "dora", "passed")).toBe(1);
    expect(await login(throttle, office, undefined, "passed")).toBe(1);
    expect(await login(throttle, elsewhere, "dora", "passed")).toBe("passed");
  });

  it("counts tokens by address", async () => {
    const throttle = loginThrottle(small);
    await failTokens(throttle, office, 6);
    expect(await login(throttle, office, undefined, "passed")).toBe(1);
    expect(await login(throttle, office, "alice", "passed")).toBe(1);
    expect(await login(throttle, elsewhere, undefined, "passed")).toBe("passed");
  });

  it("does not count repeated failures of one token as guesses", async () => {
    const throttle = loginThrottle(small);
    await fail(throttle, office, undefined, 3);
    for (let attempt = 0; attempt < 1000; attempt++) await login(throttle, office, undefined, "failed");
    const { signal } = new AbortController();
    const other = { client: office, username: undefined, token: "another", signal };
    expect(
      await throttle.attempt(
        other,
        async () => "passed",
        () => "passed",
      ),
    ).toBe("passed");
    expect(await login(throttle, office, "alice", "passed")).toBe("passed");
  });

  it("does not block an address for one broken job", async () => {
    const throttle = loginThrottle(small);
    await fail(throttle, office, "job", 3);
    for (let attempt = 0; attempt < 1000; attempt++) await login(throttle, office, "job", "failed");
    expect(await login(throttle, office, "alice", "passed")).toBe("passed");
  });

  it("does not block a user who signed in from the address within a day for failures of others", async () => {
    const throttle = loginThrottle({ ...small, perAddress: "6/48h" });
    expect(await login(throttle, office, "Alice", "passed")).toBe("passed");
    await failTokens(throttle, office, 6);
    expect(await login(throttle, office, "dora", "passed")).toBe(1);
    vi.advanceTimersByTime(24 * 60 * 60 * 1000 - 1);
    await failTokens(throttle, office, 1);
    expect(await login(throttle, office, "alice", "passed")).toBe("passed");
    vi.advanceTimersByTime(24 * 60 * 60 * 1000);
    await failTokens(throttle, office, 1);
    expect(await login(throttle, office, "alice", "passed")).toBeTypeOf("number");
  });

  it("blocks a user who signed in within a day after failures under their own name", async () => {
    const throttle = loginThrottle(small);
    await login(throttle, office, "alice", "passed");
    await fail(throttle, office, "alice", 3);
    expect(await login(throttle, office, "alice", "passed")).toBe(1);
  });

  it("does not reset the failures of an address after a success", async () => {
    const throttle = loginThrottle(small);
    for (let guess = 0; guess < 3; guess++) {
      await fail(throttle, office, `user ${guess}`, 1);
      expect(await login(throttle, office, `own ${guess}`, "passed")).toBe("passed");
      await failTokens(throttle, office, 1);
    }
    expect(await login(throttle, office, "dora", "passed")).toBe(1);
  });

  it("does not count unavailable backends", async () => {
    const throttle = loginThrottle(small);
    for (let attempt = 0; attempt < 100; attempt++) {
      expect(await login(throttle, office, "alice", "unknown")).toBe("unknown");
      const outage = throttle.attempt(
        { client: office, username: "alice", signal },
        () => Promise.reject(new Error("down")),
        () => "failed",
      );
      await expect(outage).rejects.toThrow("down");
    }
    expect(await login(throttle, office, "alice", "passed")).toBe("passed");
  });

  it("counts a guess whose client disconnects", async () => {
    const throttle = loginThrottle(small);
    for (let guess = 0; guess < 3; guess++) {
      const gone = new AbortController();
      const guessing = throttle.attempt(
        { client: office, username: "alice", signal: gone.signal },
        async () => {
          gone.abort(new Error("gone"));
          throw gone.signal.reason;
        },
        () => "passed",
      );
      await expect(guessing).rejects.toThrow("gone");
    }
    expect(await login(throttle, office, "alice", "passed")).toBe(1);
  });

  it("does not count a timeout", async () => {
    const throttle = loginThrottle(small);
    for (let attempt = 0; attempt < 10; attempt++) {
      const slow = AbortSignal.timeout(1);
      const check = async (): Promise<never> => {
        await new Promise((resolve) => slow.addEventListener("abort", resolve, { once: true }));
        throw slow.reason;
      };
      const login = throttle.attempt({ client: office, username: "alice", signal: slow }, check, () => "passed");
      await expect(login).rejects.toThrow(/timeout/);
    }
    expect(await login(throttle, office, "alice", "passed")).toBe("passed");
  });

  it("treats an IPv6 network as one address, and IPv4-mapped addresses as IPv4", async () => {
    const throttle = loginThrottle(small);
    for (const host of ["1", "2", "ffff:ffff:ffff:ffff"])
      await fail(throttle, `2001:db8:0:1:${host.includes(":") ? host : `:${host}`}`, "alice", 1);
    expect(await login(throttle, "2001:db8:0:1:a:b:c:d", "alice", "passed")).toBe(1);
    expect(await login(throttle, "2001:db8:0:2::1", "alice", "passed")).toBe("passed");
    await fail(throttle, `::ffff:${elsewhere}`, "alice", 3);
    expect(await login(throttle, elsewhere, "alice", "passed")).toBe(1);
    const narrow = loginThrottle({ ...small, ipv6Prefix: 128 });
    await fail(narrow, "2001:db8::1", "alice", 3);
    expect(await login(narrow, "2001:db8::2", "alice", "passed")).toBe("passed");
  });

  it("passes neither a name nor an address to its store", async () => {
    const keys: string[] = [];
    const memory = memoryCounters();
    const store: CounterStore = {
      counters(space) {
        const counters = memory.counters(space);
        return {
          ...counters,
          add(key, amount, ttl) {
            keys.push(space, key);
            return counters.add(key, amount, ttl);
          },
        };
      },
    };
    await fail(loginThrottle({ ...small, store }), office, "alice", 1);
    expect(keys).not.toHaveLength(0);
    expect(keys.join()).not.toMatch(/alice|203\.0/);
  });

  it("continues with the counts of a given store", async () => {
    const store = memoryCounters();
    await fail(loginThrottle({ ...small, store }), office, "alice", 3);
    expect(await login(loginThrottle({ ...small, store }), office, "alice", "passed")).toBe(1);
  });

  it("throws the error of its store, without verifying the login", async () => {
    const broken = (): Promise<never> => Promise.reject(new Error("the store is down"));
    const store: CounterStore = {
      counters: () => ({ get: broken, add: broken, set: broken, extend: broken, delete: broken }),
    };
    const check = vi.fn(async () => "passed" as const);
    const attempt = loginThrottle({ store }).attempt(
      { client: office, username: "alice", signal },
      check,
      () => "passed",
    );
    await expect(attempt).rejects.toThrow("the store is down");
    expect(check).not.toHaveBeenCalled();
  });

  it.each<[ThrottleOptions, string]>([
    [{ perAddress: "100" }, "perAddress"],
    [{ perAddress: "0/1m" }, "perAddress"],
    [{ perAddress: "-1/1m" }, "perAddress"],
    [{ perAddress: "1.5/1m" }, "perAddress"],
    [{ perUserAndAddress: "10/5 m" }, "perUserAndAddress"],
    [{ perUserAndAddress: "10/0s" }, "perUserAndAddress"],
    [{ perUserAndAddress: "10/5m/1s" }, "perUserAndAddress"],
    [{ backoff: "1s" }, "backoff"],
    [{ backoff: "1m..1s" }, "backoff"],
    [{ backoff: "0s..1s" }, "backoff"],
    [{ backoff: "1s..1m..1h" }, "backoff"],
    [{ ipv6Prefix: 0 }, "ipv6Prefix"],
    [{ ipv6Prefix: 129 }, "ipv6Prefix"],
    [{ ipv6Prefix: 63.5 }, "ipv6Prefix"],
    [Object.fromEntries([["perAdress", "1/1m"]]), "perAdress"],
  ])("refuses the options %j", (options, path) => {
    let caught: unknown;
    try {
      loginThrottle(options);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(InvalidOptionsError);
    expect(caught).toMatchObject({ faults: [{ path: [path] }] });
  });

  it("parses durations like other options, with fractions too", async () => {
    const throttle = loginThrottle({ perUserAndAddress: "1/1.5m", backoff: "1.5s..2s" });
    await fail(throttle, office, "alice", 1);
    expect(await login(throttle, office, "alice", "passed")).toBe(2);
  });
});

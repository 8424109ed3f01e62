import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AuthenticatedVerdict, Verdict } from "../../src/authenticate/verdict.ts";
import { type VerifiedCredentials, verifiedCredentials } from "../../src/authenticate/verified-credentials.ts";

const alice: AuthenticatedVerdict = {
  outcome: "authenticated",
  principal: {
    kind: "user",
    identity: { subject: "alice", username: "alice", groups: [], backend: "test" },
    via: "basic",
  },
  expiresAt: undefined,
};
const wrong: Verdict = { outcome: "rejected", reason: "wrong password" };
const fields = ["basic", "alice", "secret"];
const never = (): AbortSignal => new AbortController().signal;

/** A verification that ends when the test says so. */
function pending() {
  const { promise, resolve, reject } = Promise.withResolvers<Verdict>();
  const verify = vi.fn((_signal: AbortSignal) => promise);
  return { verify, resolve, reject };
}

const verifyAs = (verdict: Verdict) => vi.fn(async (_signal: AbortSignal) => verdict);

describe("a verified login", () => {
  let remembered: VerifiedCredentials;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance", "Date", "setTimeout", "clearTimeout"] });
    remembered = verifiedCredentials({ ttl: 60_000, maxEntries: 3 });
  });
  afterEach(() => void vi.useRealTimers());

  test("is cached for its time to live, and then verified again", async () => {
    const verify = verifyAs(alice);
    await remembered.resolve(fields, never, verify);
    expect(remembered.resolve(fields, never, verify)).toBe(alice);
    vi.advanceTimersByTime(59_999);
    expect(remembered.resolve(fields, never, verify)).toBe(alice);
    vi.advanceTimersByTime(1);
    await remembered.resolve(fields, never, verify);
    expect(verify).toHaveBeenCalledTimes(2);
  });

  test("is not cached beyond its expiry", async () => {
    const verify = verifyAs({ ...alice, expiresAt: Date.now() + 1000 });
    await remembered.resolve(fields, never, verify);
    vi.advanceTimersByTime(999);
    expect(remembered.resolve(fields, never, verify)).not.toBeInstanceOf(Promise);
    vi.advanceTimersByTime(1);
    await remembered.resolve(fields, never, verify);
    expect(verify).toHaveBeenCalledTimes(2);
  });

  test("is remembered for no longer than the backend allows", async () => {
    const verify = verifyAs({ ...alice, rememberFor: 2000 });
    await remembered.resolve(fields, never, verify);
    vi.advanceTimersByTime(1999);
    expect(remembered.resolve(fields, never, verify)).not.toBeInstanceOf(Promise);
    vi.advanceTimersByTime(1);
    await remembered.resolve(fields, never, verify);
    expect(verify).toHaveBeenCalledTimes(2);
  });

  test.each([0, -1, Number.NaN])("is not remembered at all where the backend allows %s ms", async (rememberFor) => {
    const verify = verifyAs({ ...alice, rememberFor });
    await remembered.resolve(fields, never, verify);
    await remembered.resolve(fields, never, verify);
    expect(verify).toHaveBeenCalledTimes(2);
    expect(remembered.size).toBe(0);
  });

  test("is not cached when rejected", async () => {
    const verify = verifyAs(wrong);
    await remembered.resolve(fields, never, verify);
    await remembered.resolve(fields, never, verify);
    expect(verify).toHaveBeenCalledTimes(2);
    expect(remembered.size).toBe(0);
  });

  test("is removed when it expires, also where the next verification fails", async () => {
    await remembered.resolve(fields, never, verifyAs(alice));
    vi.advanceTimersByTime(60_000);
    expect(await remembered.resolve(fields, never, verifyAs(wrong))).toBe(wrong);
    expect(remembered.size).toBe(0);
  });

  test("is found by exactly its fields", async () => {
    await remembered.resolve(fields, never, verifyAs(alice));
    for (const other of [
      ["basic", "alice", "Secret"],
      ["basic", "alices", "ecret"],
      ["bearer", "alice", "secret"],
      ["basic", "alice"],
    ]) {
      expect(await remembered.resolve(other, never, verifyAs(wrong))).toBe(wrong);
    }
  });

  test("is evicted by later ones when the cache is full", async () => {
    for (const name of ["a", "b", "c", "d"]) await remembered.resolve(["basic", name, "x"], never, verifyAs(alice));
    expect(remembered.size).toBe(3);
    const verify = verifyAs(alice);
    expect(remembered.resolve(["basic", "d", "x"], never, verify)).toBe(alice);
    await remembered.resolve(["basic", "a", "x"], never, verify);
    expect(verify).toHaveBeenCalledTimes(1);
  });

  test("is removed by a purge, and one in progress is not cached", async () => {
    await remembered.resolve(fields, never, verifyAs(alice));
    remembered.purge();
    const { verify, resolve } = pending();
    const first = remembered.resolve(fields, never, verify);
    remembered.purge();
    const later = verifyAs(wrong);
    expect(await remembered.resolve(fields, never, later)).toBe(wrong);
    resolve(alice);
    await first;
    expect(remembered.size).toBe(0);
    expect(later).toHaveBeenCalledTimes(1);
  });
});

describe("equal concurrent logins", () => {
  test("are verified once", async () => {
    const remembered = verifiedCredentials();
    const { verify, resolve } = pending();
    const verdicts = Array.from({ length: 100 }, () => remembered.resolve(fields, never, verify));
    resolve(alice);
    for (const verdict of await Promise.all(verdicts)) expect(verdict).toBe(alice);
    expect(verify).toHaveBeenCalledTimes(1);
    expect(remembered.size).toBe(1);
  });

  test("fail together, and the next one is verified again", async () => {
    const remembered = verifiedCredentials();
    const { verify, reject } = pending();
    const verdicts = Array.from({ length: 3 }, async () => remembered.resolve(fields, never, verify));
    reject(new Error("down"));
    for (const verdict of await Promise.allSettled(verdicts)) expect(verdict.status).toBe("rejected");
    expect(await remembered.resolve(fields, never, verifyAs(alice))).toBe(alice);
  });

  test("continue when one client disconnects, and abort when all have", async () => {
    const remembered = verifiedCredentials();
    const { verify, resolve } = pending();
    const [one, two] = [new AbortController(), new AbortController()];
    const first = remembered.resolve(fields, () => one.signal, verify);
    const second = remembered.resolve(fields, () => two.signal, verify);
    one.abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    const signal = verify.mock.calls[0]?.[0];
    expect(signal?.aborted).toBe(false);
    resolve(alice);
    expect(await second).toBe(alice);

    const other = pending();
    const three = new AbortController();
    const third = remembered.resolve(["other"], () => three.signal, other.verify);
    three.abort(new Error("gone too"));
    await expect(third).rejects.toThrow("gone too");
    expect(other.verify.mock.calls[0]?.[0].aborted).toBe(true);
    expect(await remembered.resolve(["other"], never, verifyAs(alice))).toBe(alice);
  });

  test("are not started for a client that has disconnected", async () => {
    const verify = verifyAs(alice);
    const verdict = verifiedCredentials().resolve(fields, () => AbortSignal.abort(new Error("gone")), verify);
    await expect(verdict).rejects.toThrow("gone");
    expect(verify).not.toHaveBeenCalled();
  });

  test("join the verification in progress, also after its first client disconnected", async () => {
    const remembered = verifiedCredentials();
    const { verify, resolve } = pending();
    const leaving = new AbortController();
    const first = remembered.resolve(fields, () => leaving.signal, verify);
    const second = remembered.resolve(fields, never, verify);
    leaving.abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    const third = remembered.resolve(fields, never, verify);
    resolve(alice);
    expect([await second, await third]).toEqual([alice, alice]);
    expect(verify).toHaveBeenCalledTimes(1);
  });

  test("are verified separately before and after a purge, and only the later one is cached", async () => {
    const remembered = verifiedCredentials();
    const [before, after] = [pending(), pending()];
    const first = remembered.resolve(fields, never, before.verify);
    remembered.purge();
    const second = remembered.resolve(fields, never, after.verify);
    after.resolve(alice);
    expect(await second).toBe(alice);
    const { principal } = alice;
    const identity = { ...principal.identity, groups: ["from before"] };
    before.resolve({ ...alice, principal: { ...principal, identity } });
    await first;
    expect(remembered.resolve(fields, never, verifyAs(wrong))).toBe(alice);
  });

  test("of different callers do not wait for each other", async () => {
    const remembered = verifiedCredentials();
    const slow = pending();
    const first = remembered.resolve(fields, never, slow.verify);
    expect(await remembered.resolve(["basic", "bob", "secret"], never, verifyAs(wrong))).toBe(wrong);
    slow.resolve(alice);
    expect(await first).toBe(alice);
  });
});

type Step =
  | { readonly does: "login"; readonly name: string; readonly good: boolean; readonly holds: number | undefined }
  | { readonly does: "wait"; readonly time: number }
  | { readonly does: "purge" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant<"login">("login"),
      name: fc.constantFrom("a", "b", "c", "d"),
      good: fc.boolean(),
      holds: fc.option(fc.integer({ min: -10, max: 150 }), { nil: undefined }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant<"wait">("wait"), time: fc.constantFrom(0, 1, 10, 50, 99, 100) }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant<"purge">("purge") }) },
);

test("in any sequence, a verdict is new or still valid, and the cache stays within its limit", async () => {
  vi.useFakeTimers({ toFake: ["performance", "Date"] });
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), async (steps, maxEntries) => {
        const remembered = verifiedCredentials({ ttl: 100, maxEntries });
        const until = new Map<string, { verdict: Verdict; time: number }>();
        for (const taken of steps) {
          if (taken.does === "wait") vi.advanceTimersByTime(taken.time);
          if (taken.does === "purge") {
            remembered.purge();
            until.clear();
          }
          if (taken.does !== "login") continue;
          const { name, good, holds } = taken;
          const now = Date.now();
          const fresh: Verdict = good
            ? { ...alice, expiresAt: holds === undefined ? undefined : now + holds }
            : { ...wrong };
          const verify = verifyAs(fresh);
          const verdict = await remembered.resolve([name], never, verify);
          const known = until.get(name);
          if (verify.mock.calls.length > 0) {
            expect(verdict).toBe(fresh);
            if (good) until.set(name, { verdict: fresh, time: Math.min(now + 100, now + (holds ?? 100)) });
            else until.delete(name);
          } else {
            expect(verdict).toBe(known?.verdict);
            expect(now).toBeLessThan(known?.time ?? 0);
          }
          // The latest one is remembered for as long as it holds, however many there are.
          if (good && verify.mock.calls.length > 0 && (holds ?? 100) > 0) {
            expect(remembered.resolve([name], never, verifyAs(wrong))).toBe(fresh);
          }
          expect(remembered.size).toBeLessThanOrEqual(maxEntries);
        }
      }),
      { numRuns: 2000 },
    );
  } finally {
    vi.useRealTimers();
  }
});

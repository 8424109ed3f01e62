import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Verdict } from "../../src/identify/verdict.ts";
import { type VerifiedCredentials, verifiedCredentials } from "../../src/identify/verified-credentials.ts";

const alice: Verdict = {
  outcome: "authenticated",
  identity: { subject: "alice", username: "alice", groups: [], backend: "test" },
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

const answering = (verdict: Verdict) => vi.fn(async (_signal: AbortSignal) => verdict);

describe("a checked login", () => {
  let remembered: VerifiedCredentials;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance", "Date", "setTimeout", "clearTimeout"] });
    remembered = verifiedCredentials({ ttl: 60_000, maxEntries: 3 });
  });
  afterEach(() => void vi.useRealTimers());

  test("is remembered for its time, and then checked again", async () => {
    const verify = answering(alice);
    await remembered.resolve(fields, never, verify);
    expect(remembered.resolve(fields, never, verify)).toBe(alice);
    vi.advanceTimersByTime(59_999);
    expect(remembered.resolve(fields, never, verify)).toBe(alice);
    vi.advanceTimersByTime(1);
    await remembered.resolve(fields, never, verify);
    expect(verify).toHaveBeenCalledTimes(2);
  });

  test("is not remembered beyond what vouches for it", async () => {
    const verify = answering({ ...alice, expiresAt: Date.now() + 1000 });
    await remembered.resolve(fields, never, verify);
    vi.advanceTimersByTime(999);
    expect(remembered.resolve(fields, never, verify)).not.toBeInstanceOf(Promise);
    vi.advanceTimersByTime(1);
    await remembered.resolve(fields, never, verify);
    expect(verify).toHaveBeenCalledTimes(2);
  });

  test("that failed is not remembered at all", async () => {
    const verify = answering(wrong);
    await remembered.resolve(fields, never, verify);
    await remembered.resolve(fields, never, verify);
    expect(verify).toHaveBeenCalledTimes(2);
    expect(remembered.size).toBe(0);
  });

  test("is that of these fields alone", async () => {
    await remembered.resolve(fields, never, answering(alice));
    for (const other of [
      ["basic", "alice", "Secret"],
      ["basic", "alices", "ecret"],
      ["bearer", "alice", "secret"],
      ["basic", "alice"],
    ]) {
      expect(await remembered.resolve(other, never, answering(wrong))).toBe(wrong);
    }
  });

  test("gives way to later ones when there are too many", async () => {
    for (const name of ["a", "b", "c", "d"]) await remembered.resolve(["basic", name, "x"], never, answering(alice));
    expect(remembered.size).toBe(3);
    const verify = answering(alice);
    expect(remembered.resolve(["basic", "d", "x"], never, verify)).toBe(alice);
    await remembered.resolve(["basic", "a", "x"], never, verify);
    expect(verify).toHaveBeenCalledTimes(1);
  });

  test("is forgotten at a purge, and so is one that is being checked", async () => {
    await remembered.resolve(fields, never, answering(alice));
    remembered.purge();
    const { verify, resolve } = pending();
    const first = remembered.resolve(fields, never, verify);
    remembered.purge();
    const later = answering(wrong);
    expect(await remembered.resolve(fields, never, later)).toBe(wrong);
    resolve(alice);
    await first;
    expect(remembered.size).toBe(0);
    expect(later).toHaveBeenCalledTimes(1);
  });
});

describe("equal logins at the same time", () => {
  test("are checked once", async () => {
    const remembered = verifiedCredentials();
    const { verify, resolve } = pending();
    const answers = Array.from({ length: 100 }, () => remembered.resolve(fields, never, verify));
    resolve(alice);
    for (const answer of await Promise.all(answers)) expect(answer).toBe(alice);
    expect(verify).toHaveBeenCalledTimes(1);
    expect(remembered.size).toBe(1);
  });

  test("fail together, and the next is checked anew", async () => {
    const remembered = verifiedCredentials();
    const { verify, reject } = pending();
    const answers = Array.from({ length: 3 }, async () => remembered.resolve(fields, never, verify));
    reject(new Error("down"));
    for (const answer of await Promise.allSettled(answers)) expect(answer.status).toBe("rejected");
    expect(await remembered.resolve(fields, never, answering(alice))).toBe(alice);
  });

  test("go on when one of them leaves, and end when all have left", async () => {
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
    expect(await remembered.resolve(["other"], never, answering(alice))).toBe(alice);
  });

  test("are not even begun for a client that has gone", async () => {
    const verify = answering(alice);
    const answer = verifiedCredentials().resolve(fields, () => AbortSignal.abort(new Error("gone")), verify);
    await expect(answer).rejects.toThrow("gone");
    expect(verify).not.toHaveBeenCalled();
  });
});

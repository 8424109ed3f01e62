import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cachedCheck, checkTimeLimit } from "../../src/admin/readiness/cached-check.ts";
import { failureReason } from "../../src/admin/readiness/failure-reason.ts";
import { judgeReadiness, type PartState, readinessText } from "../../src/admin/readiness/readiness.ts";

const state = (part: string, status: PartState["status"], required = true): PartState => {
  return { part, status, required, age: 0, ...(status === "failed" && { reason: "why" }) };
};

describe("judgeReadiness", () => {
  it.each([
    ["all is well", [state("gate", "ok"), state("backend:a", "ok"), state("registry", "ok")], true],
    ["a required part fails", [state("backend:a", "ok"), state("registry", "failed")], false],
    ["a part fails that is not required", [state("backend:a", "ok"), state("state", "failed", false)], true],
    ["something is to be noted", [state("backend:a", "ok"), state("certificate", "warning")], true],
    ["one of two backends fails", [state("backend:a", "failed"), state("backend:b", "ok")], true],
    ["every backend fails", [state("backend:a", "failed"), state("backend:b", "failed")], false],
    ["every backend fails, and none is required", [state("gate", "ok"), state("backend:a", "failed", false)], true],
    ["the gate stops, whatever backends do", [state("gate", "failed"), state("backend:a", "ok")], false],
  ])("judges a gate where %s", (_, parts, ready) => {
    expect(judgeReadiness(parts)).toEqual({ ready, parts });
  });

  it("is told in a line", () => {
    expect(readinessText(judgeReadiness([state("backend:a", "ok")]))).toBe("ready");
    const failing = judgeReadiness([state("registry", "failed"), state("backend:a", "ok"), state("gate", "failed")]);
    expect(readinessText(failing)).toBe("not ready: registry (why), gate (why)");
  });

  it("notes in the line why a gate that is ready refuses writes, and nothing else", () => {
    const noted = (...parts: PartState[]) => readinessText(judgeReadiness([state("backend:a", "ok"), ...parts]));
    const readOnly: PartState = { ...state("maintenance", "warning", false), reason: "read-only" };
    expect(noted(readOnly)).toBe("ready; writes are refused: maintenance (read-only)");
    expect(noted(state("audit", "failed", false), readOnly)).toBe(
      "ready; writes are refused: audit (why), maintenance (read-only)",
    );
    expect(noted(state("audit", "warning", false), state("certificate", "warning"))).toBe("ready");
  });
});

describe("failureReason", () => {
  it.each([
    ["a code of the system", Object.assign(new Error("connect ECONNREFUSED 10.0.0.7:389"), { code: "ECONNREFUSED" })],
    [
      "that of a cause",
      new Error("ldap://10.0.0.7", { cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }) }),
    ],
    ["one in a text", new Error("connect ECONNREFUSED 10.0.0.7:389")],
  ])("names %s, and no address", (_, error) => {
    expect(failureReason(error)).toBe("ECONNREFUSED");
  });

  it.each([
    [new Error("cn=canary,dc=example: invalid credentials")],
    [Object.assign(new Error("canary"), { code: "BACKEND_UNAVAILABLE" })],
    ["canary"],
    [undefined],
  ])("says no more than that where an error might say too much: %s", (error) => {
    expect(failureReason(error)).toBe("unavailable");
  });

  it.each(["responds with 500, but a registry responds with 200", "the registry rejects upstream.credentials"])(
    "passes on words of the gate's own: %s",
    (text) => {
      expect(failureReason(new Error(text))).toBe(text);
    },
  );

  it("names a time limit", () => {
    expect(failureReason(new DOMException("canary", "TimeoutError"))).toBe("no response in time");
  });
});

describe("cachedCheck", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("runs once for all who ask within a second, and again for who asks later", async () => {
    const check = vi.fn(async () => {});
    const find = cachedCheck(check);
    await Promise.all([find(), find(), find()]);
    await vi.advanceTimersByTimeAsync(900);
    expect(await find()).toMatchObject({ failed: false });
    expect(check).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(200);
    await find();
    expect(check).toHaveBeenCalledTimes(2);
  });

  it("remembers a failure as long as a success", async () => {
    const check = vi.fn(async () => Promise.reject(new Error("down")));
    const find = cachedCheck(check);
    expect(await find()).toMatchObject({ failed: true, error: new Error("down") });
    expect(await find()).toMatchObject({ failed: true });
    expect(check).toHaveBeenCalledTimes(1);
  });

  it("takes what a check throws at once for its failure", async () => {
    const find = cachedCheck(() => {
      throw new Error("down");
    });
    expect(await find()).toMatchObject({ failed: true, error: new Error("down") });
  });

  it("reports the finding before while a check goes on, then its delay, and never runs two at once", async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const check = vi.fn(async () => {});
    const find = cachedCheck(check);
    await find();
    check.mockImplementation(() => ended);
    await vi.advanceTimersByTimeAsync(1100);
    const slow = find();
    await vi.advanceTimersByTimeAsync(700);
    expect(await slow).toMatchObject({ failed: false });
    for (let asked = 0; asked < 5; asked++) {
      const again = find();
      await vi.advanceTimersByTimeAsync(1000);
      await again;
    }
    const late = find();
    await vi.advanceTimersByTimeAsync(checkTimeLimit);
    expect(await late).toMatchObject({ failed: true, error: new Error("no response in time") });
    expect(check).toHaveBeenCalledTimes(2);
    end();
    await vi.advanceTimersByTimeAsync(0);
    expect(await find()).toMatchObject({ failed: false });
  });

  it("tells a check by its signal when its time is over", async () => {
    let aborted = false;
    vi.useRealTimers();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.abort());
    await cachedCheck(async (signal) => {
      ({ aborted } = signal);
    })();
    expect(timeout).toHaveBeenCalledWith(checkTimeLimit);
    timeout.mockRestore();
    expect(aborted).toBe(true);
  });
});

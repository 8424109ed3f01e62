import { type AuthBackend, type AuthRequest, type AuthResult, BackendUnavailableError } from "@registry-gate/auth";
import { describe, expect, test, vi } from "vitest";
import { askInOrder } from "../../src/identify/chain.ts";

const request: AuthRequest = {
  credentials: { scheme: "basic", username: "alice", password: "canary" },
  peer: { address: "127.0.0.1", local: false },
  header: () => [],
  signal: new AbortController().signal,
};

function backend(id: string, answer: AuthResult | Error): AuthBackend & { authenticate: ReturnType<typeof vi.fn> } {
  return {
    id,
    authenticate: vi.fn(async () => {
      if (answer instanceof Error) throw answer;
      return answer;
    }),
  };
}

const knows = (id: string) =>
  backend(id, { status: "authenticated", identity: { subject: id, username: id, groups: [], backend: id } });
const rejects = (id: string) => backend(id, { status: "rejected", reason: "wrong password" });
const abstains = (id: string) => backend(id, { status: "abstained" });
const down = (id: string) => backend(id, new BackendUnavailableError(id, "down"));
const broken = (id: string) => backend(id, new TypeError("a mistake in the backend"));

const ask = (...backends: AuthBackend[]) => askInOrder(backends, request, undefined);

describe("of several backends", () => {
  test("the first that authenticates wins, and none after it is asked", async () => {
    const third = knows("third");
    expect(await ask(abstains("first"), knows("second"), third)).toMatchObject({ identity: { username: "second" } });
    expect(third.authenticate).not.toHaveBeenCalled();
  });

  test("one that authenticates outweighs a rejection and an outage before it", async () => {
    expect(await ask(rejects("first"), down("second"), knows("third"))).toMatchObject({ outcome: "authenticated" });
  });

  test.each([
    ["an outage", [down("first"), abstains("second")]],
    ["an outage before a rejection", [down("first"), rejects("second")]],
    ["an outage after a rejection", [rejects("first"), down("second")]],
    ["something unexpected", [broken("first"), rejects("second")]],
  ])("%s without a winner is no wrong password", async (_, backends) => {
    expect(await ask(...backends)).toMatchObject({ outcome: "unavailable" });
  });

  test("all that answer and do not know the credentials make them wrong", async () => {
    expect(await ask(abstains("first"), rejects("second"))).toEqual({
      outcome: "rejected",
      reason: "second: wrong password",
    });
    expect(await ask(abstains("first"), abstains("second"))).toMatchObject({ outcome: "rejected" });
  });

  test("none is needed for a caller without credentials to be anonymous", async () => {
    const bare = { ...request, credentials: undefined };
    expect(await askInOrder([abstains("first")], bare, undefined)).toEqual({ outcome: "anonymous" });
    expect(await askInOrder([rejects("first")], bare, undefined)).toMatchObject({ outcome: "rejected" });
    expect(await askInOrder([down("first")], bare, undefined)).toMatchObject({ outcome: "unavailable" });
  });

  test("one that finds two users named in the request ends the asking", async () => {
    const conflicting = backend("first", { status: "conflicting", reason: "alice and bob" });
    expect(await ask(conflicting, knows("second"))).toEqual({ outcome: "conflicting", reason: "first: alice and bob" });
  });

  test("a fault is logged by the backend's name, a mistake louder than an outage, and no password with it", async () => {
    const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    await askInOrder([down("first"), broken("second")], request, log);
    expect(log.warn).toHaveBeenCalledWith(expect.objectContaining({ backend: "first" }), expect.any(String));
    expect(log.error).toHaveBeenCalledWith(expect.objectContaining({ backend: "second" }), expect.any(String));
    expect(JSON.stringify([log.warn.mock.calls, log.error.mock.calls])).not.toContain("canary");
  });

  test("a client that has gone ends the asking", async () => {
    const gone = { ...request, signal: AbortSignal.abort(new Error("gone")) };
    const second = knows("second");
    await expect(askInOrder([down("first"), second], gone, undefined)).rejects.toThrow();
    expect(second.authenticate).not.toHaveBeenCalled();
  });
});

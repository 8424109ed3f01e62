import { type AuthBackend, type AuthRequest, type AuthResult, BackendUnavailableError } from "@registry-gate/auth";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { askInOrder } from "../../src/authenticate/chain.ts";

const request: AuthRequest = {
  credentials: { scheme: "basic", username: "alice", password: "canary" },
  peer: { address: "127.0.0.1", unixSocket: false },
  client: "127.0.0.1",
  header: () => [],
  signal: new AbortController().signal,
};

function backend(id: string, result: AuthResult | Error): AuthBackend & { authenticate: ReturnType<typeof vi.fn> } {
  return {
    id,
    authenticate: vi.fn(async () => {
      if (result instanceof Error) throw result;
      return result;
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
  test("the first that authenticates wins, and ends the chain", async () => {
    const third = knows("third");
    expect(await ask(abstains("first"), knows("second"), third)).toMatchObject({
      principal: { identity: { username: "second" } },
    });
    expect(third.authenticate).not.toHaveBeenCalled();
  });

  test.each(["basic", "bearer"] as const)(
    "a %s token of one is shown to no other but those with headers",
    async (scheme) => {
      const [tokens, directory] = [{ ...rejects("tokens"), tokenPrefixes: ["rga_", ""] }, knows("directory")];
      const proxy = { ...abstains("proxy"), credentialHeaders: ["x-user"] };
      const given = async (secret: string): Promise<void> => {
        const credentials =
          scheme === "basic"
            ? ({ scheme, username: "alice", password: secret } as const)
            : ({ scheme, token: secret } as const);
        await askInOrder([proxy, tokens, directory], { ...request, credentials }, undefined);
      };
      await given("rga_revoked");
      expect(proxy.authenticate).toHaveBeenCalledTimes(1);
      expect(tokens.authenticate).toHaveBeenCalledTimes(1);
      expect(directory.authenticate).not.toHaveBeenCalled();
      await given("a password");
      expect(directory.authenticate).toHaveBeenCalledTimes(1);
    },
  );

  test("one that authenticates overrides a rejection and an outage before it", async () => {
    expect(await ask(rejects("first"), down("second"), knows("third"))).toMatchObject({ outcome: "authenticated" });
  });

  test.each([
    ["an outage", [down("first"), abstains("second")]],
    ["an outage before a rejection", [down("first"), rejects("second")]],
    ["an outage after a rejection", [rejects("first"), down("second")]],
    ["something unexpected", [broken("first"), rejects("second")]],
  ])("%s makes the verdict unavailable, not rejected", async (_, backends) => {
    expect(await ask(...backends)).toMatchObject({ outcome: "unavailable" });
  });

  test("abstaining ones all together reject the credentials", async () => {
    expect(await ask(abstains("first"), rejects("second"))).toEqual({
      outcome: "rejected",
      reason: "second: wrong password",
    });
    expect(await ask(abstains("first"), abstains("second"))).toMatchObject({ outcome: "rejected" });
  });

  test("a caller without credentials is anonymous where all abstain", async () => {
    const bare = { ...request, credentials: undefined };
    expect(await askInOrder([abstains("first")], bare, undefined)).toEqual({
      outcome: "anonymous",
      principal: { kind: "anonymous" },
    });
    expect(await askInOrder([rejects("first")], bare, undefined)).toMatchObject({ outcome: "rejected" });
    expect(await askInOrder([down("first")], bare, undefined)).toMatchObject({ outcome: "unavailable" });
  });

  test("one that finds two users in the request ends the chain", async () => {
    const conflicting = backend("first", { status: "conflicting", reason: "alice and bob" });
    expect(await ask(conflicting, knows("second"))).toEqual({ outcome: "conflicting", reason: "first: alice and bob" });
  });

  test("errors are logged with the backend's id, a failure as error and an outage as warning, without a password", async () => {
    const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    await askInOrder([down("first"), broken("second")], request, log);
    expect(log.warn).toHaveBeenCalledWith(expect.objectContaining({ backend: "first" }), expect.any(String));
    expect(log.error).toHaveBeenCalledWith(expect.objectContaining({ backend: "second" }), expect.any(String));
    expect(JSON.stringify([log.warn.mock.calls, log.error.mock.calls])).not.toContain("canary");
  });

  test("a client that disconnects ends the chain", async () => {
    const gone = { ...request, signal: AbortSignal.abort(new Error("gone")) };
    const second = knows("second");
    await expect(askInOrder([down("first"), second], gone, undefined)).rejects.toThrow();
    expect(second.authenticate).not.toHaveBeenCalled();
  });

  test("BackendUnavailableError of another copy of the contract means unavailable", async () => {
    const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const foreign = Object.assign(new Error("down"), { code: "BACKEND_UNAVAILABLE" });
    await askInOrder([backend("first", foreign)], request, log);
    expect(log.warn).toHaveBeenCalledTimes(1);
    expect(log.error).not.toHaveBeenCalled();
  });

  test.each<[what: string, thrown: unknown]>([
    ["nothing", undefined],
    ["a text", "down"],
    ["null", null],
  ])("one that throws %s makes the verdict unavailable", async (_, thrown) => {
    const odd: AuthBackend = { id: "odd", authenticate: () => Promise.reject(thrown) };
    expect(await ask(rejects("first"), odd)).toEqual({
      outcome: "unavailable",
      reason: "no response from odd",
      causes: [thrown],
    });
  });

  test("one that throws synchronously makes the verdict unavailable", async () => {
    const hasty: AuthBackend = {
      id: "hasty",
      authenticate: () => {
        throw new TypeError("no promise");
      },
    };
    expect(await ask(hasty)).toMatchObject({ outcome: "unavailable" });
  });

  test("one without a result authenticates nobody", async () => {
    const silent: AuthBackend = { id: "silent", authenticate: vi.fn() };
    expect(await ask(silent)).toMatchObject({ outcome: "unavailable" });
    const odd: AuthResult = JSON.parse('{ "status": "ok" }');
    expect(await ask(backend("odd", odd))).toMatchObject({ outcome: "rejected" });
  });

  test("the verdict is that of the first decisive one, or else of the gravest result", async () => {
    const kinds = { knows, rejects, abstains, down, broken };
    const kind = fc.constantFrom<(keyof typeof kinds)[]>("knows", "rejects", "abstains", "down", "broken");
    await fc.assert(
      fc.asyncProperty(fc.array(kind, { maxLength: 6 }), fc.boolean(), async (list, bare) => {
        const backends = list.map((name, index) => kinds[name](`b${index}`));
        const asked = bare ? { ...request, credentials: undefined } : request;
        const verdict = await askInOrder(backends, asked, undefined);
        const winner = list.indexOf("knows");
        const calls = backends.map(({ authenticate }) => authenticate.mock.calls.length);
        expect(calls).toEqual(list.map((_, index) => (winner === -1 || index <= winner ? 1 : 0)));
        if (winner !== -1) {
          expect(verdict).toMatchObject({
            outcome: "authenticated",
            principal: { identity: { backend: `b${winner}` } },
          });
        } else if (list.includes("down") || list.includes("broken")) {
          expect(verdict.outcome).toBe("unavailable");
        } else {
          expect(verdict.outcome).toBe(list.includes("rejects") || !bare ? "rejected" : "anonymous");
        }
      }),
      { numRuns: 1000 },
    );
  });
});

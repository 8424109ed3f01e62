import { type AuthBackend, BackendUnavailableError, type Identity } from "@registry-gate/auth";
import { createOpaqueToken, isOpaqueToken } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { refreshTokens } from "../src/refresh-tokens.ts";
import { aliceIdentity, memoryStore } from "./fixtures.ts";

const never = new AbortController().signal;
const day = 86_400_000;

function scene() {
  const store = memoryStore();
  const known = new Map<string, Identity>([[aliceIdentity.subject, aliceIdentity]]);
  const directory = { down: false };
  const ldap: AuthBackend = {
    id: "ldap",
    authenticate: async () => ({ status: "abstained" }),
    async lookup(subject) {
      if (directory.down) throw new BackendUnavailableError("ldap", "no answer");
      return known.get(subject);
    },
  };
  const tokens = refreshTokens({ store });
  const redeem = (token: string) => tokens.redeem(token, [ldap], never);
  const issue = async (): Promise<string> => (await tokens.issue(aliceIdentity, [ldap], "docker")) ?? "";
  return { store, known, directory, ldap, tokens, redeem, issue };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

describe("a refresh token", () => {
  it("is good again and again, and names the user as they are now", async () => {
    const { issue, redeem, known } = scene();
    const token = await issue();
    expect(token).toMatch(/^rgr_[A-Za-z0-9_-]{49}$/);
    expect(await redeem(token)).toEqual({ kind: "valid", identity: aliceIdentity });
    known.set(aliceIdentity.subject, { ...aliceIdentity, groups: ["other"] });
    expect(await redeem(token)).toMatchObject({ kind: "valid", identity: { groups: ["other"] } });
  });

  it("is nowhere in the store", async () => {
    const { store, issue } = scene();
    const token = await issue();
    // The token, and its place among those of the user.
    expect(store.entries.size).toBe(2);
    expect(JSON.stringify([...store.entries])).not.toContain(token.slice(4, 40));
  });

  it("ends where the user has a hundred that were used later", async () => {
    const { tokens, issue, redeem } = scene();
    const first = await issue();
    vi.advanceTimersByTime(1000);
    for (let count = 0; count < 100; count++) await issue();
    expect(await redeem(first)).toMatchObject({ kind: "invalid" });
    expect(await tokens.list(aliceIdentity)).toHaveLength(100);
    expect(await tokens.list()).toHaveLength(100);
  });

  it("ends with its user", async () => {
    const { store, issue, redeem, known } = scene();
    const token = await issue();
    known.clear();
    expect(await redeem(token)).toMatchObject({ kind: "invalid" });
    expect(store.entries.size).toBe(0);
    known.set(aliceIdentity.subject, aliceIdentity);
    expect(await redeem(token)).toMatchObject({ kind: "invalid" });
  });

  it.each([
    ["another", "2"],
    ["no", undefined],
  ])("ends when the user has %s revision", async (_, revision) => {
    const { store, issue, redeem, known } = scene();
    const token = await issue();
    const { revision: before, ...identity } = aliceIdentity;
    expect(before).toBeDefined();
    known.set(identity.subject, { ...identity, ...(revision !== undefined && { revision }) });
    expect(await redeem(token)).toMatchObject({ kind: "invalid" });
    expect(store.entries.size).toBe(0);
  });

  it("stays while the directory is down", async () => {
    const { issue, redeem, directory } = scene();
    const token = await issue();
    directory.down = true;
    expect(await redeem(token)).toMatchObject({ kind: "unavailable" });
    directory.down = false;
    expect(await redeem(token)).toMatchObject({ kind: "valid" });
  });

  it("stays while the store is down, and while its backend is missing", async () => {
    const { store, tokens, issue, redeem } = scene();
    const token = await issue();
    store.down = true;
    expect(await redeem(token)).toMatchObject({ kind: "unavailable" });
    store.down = false;
    expect(await tokens.redeem(token, [], never)).toMatchObject({ kind: "invalid" });
    expect(await redeem(token)).toMatchObject({ kind: "valid" });
  });

  it("expires 30 days after its last use", async () => {
    const { issue, redeem } = scene();
    const token = await issue();
    for (let round = 0; round < 3; round++) {
      vi.setSystemTime(Date.now() + 29 * day);
      expect(await redeem(token)).toMatchObject({ kind: "valid" });
    }
    vi.setSystemTime(Date.now() + 30 * day);
    expect(await redeem(token)).toMatchObject({ kind: "invalid" });
  });

  it("is written once an hour at most", async () => {
    const { store, issue, redeem } = scene();
    const token = await issue();
    const replace = vi.spyOn(store, "replace");
    vi.setSystemTime(Date.now() + 3_599_000);
    await redeem(token);
    expect(replace).not.toHaveBeenCalled();
    vi.setSystemTime(Date.now() + 1000);
    await redeem(token);
    await redeem(token);
    // The token, and its place among those of the user.
    expect(replace).toHaveBeenCalledTimes(2);
  });

  it("stays revoked where it is used at the same moment", async () => {
    const { store, tokens, issue, ldap } = scene();
    const token = await issue();
    vi.setSystemTime(Date.now() + day);
    const slow: AuthBackend = {
      ...ldap,
      async lookup(subject, signal) {
        for (const { id } of await tokens.list()) await tokens.revoke(id);
        return ldap.lookup?.(subject, signal);
      },
    };
    await tokens.redeem(token, [slow], never);
    expect(store.entries.size).toBe(0);
  });

  it("is not issued for a backend without lookup, or one that is not there", async () => {
    const { tokens, ldap, store } = scene();
    const { lookup: _, ...blind } = ldap;
    expect(await tokens.issue(aliceIdentity, [blind])).toBeUndefined();
    expect(await tokens.issue(aliceIdentity, [])).toBeUndefined();
    expect(store.entries.size).toBe(0);
  });

  it("is listed by its user without its secret, and revoked by its id", async () => {
    const { tokens, issue, redeem } = scene();
    const token = await issue();
    const listed = await tokens.list(aliceIdentity);
    expect(listed).toMatchObject([{ username: "alice", backend: "ldap", client: "docker" }]);
    expect(await tokens.list({ backend: "ldap", subject: "bob" })).toEqual([]);
    expect(listed[0]).toMatchObject({ createdAt: expect.any(Number), lastUsed: expect.any(Number) });
    expect(await tokens.revoke("../x")).toBe(false);
    expect(await tokens.revoke(listed[0]?.id ?? "", { backend: "ldap", subject: "bob" })).toBe(false);
    expect(await tokens.revoke(listed[0]?.id ?? "")).toBe(true);
    expect(await redeem(token)).toMatchObject({ kind: "invalid" });
  });

  it("that is made up never reaches the store", async () => {
    const { store, redeem } = scene();
    const get = vi.spyOn(store, "get");
    for (const text of ["", "rgr_", `rgr_${"A".repeat(49)}`, createOpaqueToken("rga_")]) {
      expect(await redeem(text)).toMatchObject({ kind: "invalid" });
    }
    expect(get).not.toHaveBeenCalled();
  });

  it("rejects with the reason of the signal when the client has gone", async () => {
    const { tokens, ldap, issue } = scene();
    const token = await issue();
    await expect(tokens.redeem(token, [ldap], AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
  });
});

describe("the checksum of an opaque token", () => {
  it("finds every change of one character", () => {
    fc.assert(
      fc.property(fc.nat(52), fc.stringMatching(/^[A-Za-z0-9_-]$/), (place, character) => {
        const token = createOpaqueToken("rgr_");
        const changed = token.slice(0, place) + character + token.slice(place + 1);
        expect(isOpaqueToken("rgr_", changed)).toBe(changed === token);
      }),
    );
  });
});

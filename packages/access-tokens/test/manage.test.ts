import { InvalidOptionsError } from "@registry-gate/auth";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { createAccessTokens, type NewAccessToken } from "../src/index.ts";
import { openTokenStore } from "../src/token-store.ts";
import { digestOf } from "../src/token-text.ts";
import { memoryState, otherProcess } from "./memory-state.ts";
import { alice, bob, openPeople, silentUsers } from "./people.ts";

const people = await openPeople();
afterAll(() => people.close());
afterEach(() => void vi.useRealTimers());

const backends = [people.users, { ...silentUsers(people.users), id: "blind", lookup: undefined }].map((backend) => {
  const { lookup, ...rest } = backend;
  return lookup === undefined ? rest : backend;
});

function manage(options: { readonly maxTtl?: string; readonly requireExpiry?: boolean } = {}) {
  const state = memoryState();
  return { state, tokens: createAccessTokens({ state, backends, ...options }) };
}

async function faultsOf(
  request: Partial<NewAccessToken>,
  options?: Parameters<typeof manage>[0],
): Promise<readonly string[]> {
  const { tokens } = manage(options);
  const error = await tokens.create({ owner: alice, name: "a", expires: "1h", ...request }).catch((reason) => reason);
  if (!(error instanceof InvalidOptionsError)) throw new Error("it was created", { cause: error });
  return error.message.split("\n");
}

describe("creating a token", () => {
  it("shows it once, and stores nothing by which it could be used", async () => {
    const { state, tokens } = manage();
    const { token, accessToken } = await tokens.create({
      ...{ owner: alice, name: "laptop", expires: "1h", networks: ["10.0.0.0/8"] },
      scopes: ["repository:team/**:pull", "registry:catalog:*"],
    });
    expect(token).toMatch(/^rga_[0-9A-Za-z]{49}$/);
    expect(state.text()).not.toContain(token);
    expect(state.text()).toContain(digestOf(token));
    expect(await tokens.list(alice)).toEqual([accessToken]);
    expect(accessToken).toEqual({
      id: digestOf(token).slice(0, 16),
      name: "laptop",
      owner: { kind: "user", backend: "people", subject: "alice", username: "alice" },
      scopes: [
        { type: "repository", name: "team/**", action: "pull" },
        { type: "registry", name: "catalog", action: "*" },
      ],
      createdAt: accessToken.createdAt,
      expiresAt: accessToken.createdAt + 3_600_000,
      networks: ["10.0.0.0/8"],
    });
  });

  it.each([
    [{ name: "" }, "name: must be 1 to 64"],
    [{ name: "a/b" }, "name: must be 1 to 64"],
    [{ name: "a".repeat(65) }, "name: must be 1 to 64"],
    [{ expires: "soon" }, "expires: must be a duration"],
    [{ expires: "0s" }, "expires: must be a duration"],
    [{ expires: "366d" }, "expires: must be at most 365d"],
    [{ scopes: [] }, "scopes: must not be empty"],
    [{ scopes: ["repository:a:pull", "team"] }, "scopes[1]: must be such as repository:team/**:pull,push"],
    [{ networks: [] }, "networks: must not be empty"],
    [{ networks: ["10.0.0.0/8", "10.0.0.1/33"] }, "networks[1]: must be an IP address"],
    [{ owner: { backend: "people", subject: "carol" } }, "owner: is not known to people"],
    [{ owner: { backend: "others", subject: "alice" } }, "owner: is of others, which is no backend here"],
    [{ owner: { backend: "blind", subject: "alice" } }, "owner: is of blind, which cannot look its users up"],
    [{ owner: { name: "CI", groups: [] } }, "owner.name: must be 1 to 64 lower-case"],
    [{ owner: { name: "ci", groups: ["a", "\u0007"] } }, "owner.groups[1]: holds a control character"],
  ] as const)("refuses %j, and says why", async (request, fault) => {
    const faults = await faultsOf(request);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(fault);
  });

  it("names every fault", async () => {
    const faults = await faultsOf({ name: "", expires: "0s", scopes: ["x"], networks: ["y"] });
    expect(faults.map((fault) => fault.split(":", 1)[0])).toEqual(["name", "expires", "scopes[0]", "networks[0]"]);
  });

  it("requires an expiry by default", async () => {
    const { tokens } = manage();
    await expect(tokens.create({ owner: alice, name: "a" })).rejects.toThrow("expires: is required");
  });

  it.each([
    [{ requireExpiry: false }, undefined],
    [{ requireExpiry: false, maxTtl: "30d" }, 30 * 86_400_000],
  ])("without an expiry, where %j allows it, makes a token that lasts %s ms", async (options, ttl) => {
    const { tokens } = manage(options);
    const { accessToken } = await tokens.create({ owner: alice, name: "a" });
    expect(accessToken.expiresAt).toBe(ttl === undefined ? undefined : accessToken.createdAt + ttl);
  });

  it("makes none that lasts longer than maxTtl", async () => {
    expect(await faultsOf({ expires: "25h" }, { maxTtl: "1d" })).toEqual(["expires: must be at most 1d"]);
  });

  it("has a name once for each owner, until the token is revoked or has expired", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { tokens } = manage();
    const create = (owner = alice as NewAccessToken["owner"]) => tokens.create({ owner, name: "a", expires: "1h" });
    const first = await create();
    await expect(create()).rejects.toThrow("name: is that of another token of the same owner");
    await create(bob);
    await create({ name: "alice", groups: [] });
    expect(await tokens.revoke(first.accessToken.id)).toBe(true);
    await create();
    vi.advanceTimersByTime(3_600_000);
    await create();
  });

  it("of one name many times at once makes no two", async () => {
    const { state, tokens } = manage();
    const others = createAccessTokens({ state: otherProcess(state), backends });
    const attempts = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? tokens : others).create({ owner: alice, name: "a", expires: "1h" }),
    );
    const made = (await Promise.allSettled(attempts)).filter(({ status }) => status === "fulfilled");
    expect(made.length).toBeLessThanOrEqual(1);
    expect(await tokens.list(alice)).toHaveLength(made.length);
  });
});

describe("revoking a token", () => {
  it("is for its owner alone where one is named", async () => {
    const { state, tokens } = manage();
    const { accessToken } = await tokens.create({ owner: alice, name: "a", expires: "1h" });
    expect(await tokens.revoke(accessToken.id, bob)).toBe(false);
    expect(await tokens.revoke(accessToken.id, { name: "alice" })).toBe(false);
    expect(await tokens.list(bob)).toEqual([]);
    expect(await tokens.revoke(accessToken.id, alice)).toBe(true);
    expect(await tokens.revoke(accessToken.id, alice)).toBe(false);
    expect(state.text()).toBe("[]");
  });

  it("leaves the name to the token that has taken it over", async () => {
    const { state, tokens } = manage();
    const { token, accessToken } = await tokens.create({ owner: alice, name: "a", expires: "1h" });
    const store = openTokenStore(state);
    const stale = { digest: digestOf(token), record: accessToken };
    await store.remove(stale);
    const next = await tokens.create({ owner: alice, name: "a", expires: "1h" });
    await store.remove(stale);
    expect(await tokens.list(alice)).toEqual([next.accessToken]);
    await expect(tokens.create({ owner: alice, name: "a", expires: "1h" })).rejects.toThrow("name: is that of another");
  });
});

describe("a record that another version has written", () => {
  it("is not guessed at", async () => {
    const { state, tokens } = manage();
    const { token } = await tokens.create({ owner: alice, name: "a", expires: "1h" });
    const key = `access-token/record/${digestOf(token)}`;
    await state.set(key, JSON.stringify({ ...JSON.parse((await state.get(key)) ?? ""), onlyOnMondays: true }));
    await expect(openTokenStore(state).find(digestOf(token))).rejects.toThrow("the record of an access token");
  });
});

import type { AuthBackend, Authenticated, AuthResult, ChangeListener, Grants } from "@registry-gate/auth";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createAuthenticator } from "../../src/authenticate/create-authenticator.ts";
import { receivedRequest } from "../received-request.ts";

const never = (): AbortSignal => new AbortController().signal;
const login = (name: string) =>
  receivedRequest({ headers: [["Authorization", `Basic ${Buffer.from(`${name}:secret`).toString("base64")}`]] });

/** Knows some names, and says what has changed when the test does. */
function backend(id: string, names: readonly string[], more: Pick<Authenticated, "expiresAt" | "grants"> = {}) {
  const listeners = new Set<ChangeListener>();
  const asked: string[] = [];
  const made: AuthBackend = {
    id,
    async authenticate({ credentials }): Promise<AuthResult> {
      const username = credentials?.scheme === "basic" ? credentials.username : "";
      asked.push(username);
      if (!names.includes(username)) return { status: "abstained" };
      const identity = { subject: `${id}/${username}`, username, groups: [], backend: id };
      return { status: "authenticated", identity, ...more };
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return {
    backend: made,
    asked,
    listeners,
    changed: (subject?: string): void => {
      for (const listener of listeners) listener(subject);
    },
  };
}

describe("a cached login", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "Date"] }));
  afterEach(() => void vi.useRealTimers());

  test("keeps the grants, and does not outlive its expiry by a millisecond", async () => {
    const grants: Grants = [{ type: "repository", name: "team/app", action: "pull" }];
    const expiresAt = Date.now() + 10_000;
    const tokens = backend("tokens", ["alice"], { grants, expiresAt });
    const { authenticate } = createAuthenticator({ backends: [tokens.backend] });
    const verdict = async () => authenticate(await login("alice"), never, { address: undefined });
    const first = await verdict();
    expect(first).toMatchObject({ principal: { kind: "user", grants, via: "basic" }, expiresAt });
    vi.setSystemTime(expiresAt - 1);
    expect(await verdict()).toBe(first);
    expect(tokens.asked).toHaveLength(1);
    vi.setSystemTime(expiresAt);
    await verdict();
    expect(tokens.asked).toHaveLength(2);
  });
});

describe("a change of one user", () => {
  async function scene() {
    const [first, second, third] = [backend("1", ["alice"]), backend("2", ["bob", "carol"]), backend("3", ["dave"])];
    const all = [first, second, third] as const;
    const authenticator = createAuthenticator({ backends: all.map((each) => each.backend) });
    /** Who had to be asked about anew. */
    const signIn = async (): Promise<readonly string[]> => {
      for (const { asked } of all) asked.length = 0;
      for (const name of ["alice", "bob", "carol", "dave"]) {
        await authenticator.authenticate(await login(name), never, { address: undefined });
      }
      return [...first.asked];
    };
    await signIn();
    return { first, second, third, authenticator, signIn };
  }

  test("removes the logins of that user, and of nobody else of that backend or an earlier one", async () => {
    const { second, third, signIn } = await scene();
    expect(await signIn()).toEqual([]);
    third.changed("3/dave");
    expect(await signIn()).toEqual(["dave"]);
    second.changed("2/carol");
    expect(await signIn()).toEqual(["carol", "dave"]);
  });

  test("removes logins that later backends accepted: this one may decide now", async () => {
    const { first, signIn } = await scene();
    first.changed("1/somebody new");
    expect(await signIn()).toEqual(["bob", "carol", "dave"]);
  });

  test("removes all logins where the user is not given", async () => {
    const { third, signIn } = await scene();
    third.changed();
    expect(await signIn()).toEqual(["alice", "bob", "carol", "dave"]);
  });

  test("keeps verifications in progress out of the cache: they may concern that user", async () => {
    const verdicts: ((result: AuthResult) => void)[] = [];
    const slow = backend("slow", []);
    const authenticate = vi.fn(() => new Promise<AuthResult>((resolve) => void verdicts.push(resolve)));
    const authenticator = createAuthenticator({ backends: [{ ...slow.backend, authenticate }] });
    const asking = authenticator.authenticate(await login("alice"), never, { address: undefined });
    await expect.poll(() => verdicts.length).toBe(1);
    slow.changed("somebody");
    const identity = { subject: "alice", username: "alice", groups: [], backend: "slow" };
    verdicts[0]?.({ status: "authenticated", identity });
    expect(await asking).toMatchObject({ outcome: "authenticated" });
    void authenticator.authenticate(await login("alice"), never, { address: undefined });
    await expect.poll(() => authenticate.mock.calls.length).toBe(2);
  });

  test("unsubscribes and clears the cache on close", async () => {
    const { first, second, third, authenticator, signIn } = await scene();
    authenticator.close();
    authenticator.close();
    expect([first, second, third].map(({ listeners }) => listeners.size)).toEqual([0, 0, 0]);
    expect(await signIn()).toEqual(["alice", "bob", "carol", "dave"]);
  });
});

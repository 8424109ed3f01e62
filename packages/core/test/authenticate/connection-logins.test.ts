import type { IncomingMessage } from "node:http";
import type { AuthBackend, AuthResult, ChangeListener } from "@registry-gate/auth";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createAuthenticator } from "../../src/authenticate/create-authenticator.ts";
import { receivedRequest, receivedRequests } from "../received-request.ts";

const never = (): AbortSignal => new AbortController().signal;
const basic = (login: string): string => `Basic ${Buffer.from(login).toString("base64")}`;

/** Its users change at the will of the test, and a token is good for one address only. */
function scene(more: { readonly session?: () => undefined } = {}) {
  const passwords = new Map([
    ["alice", "secret"],
    ["bob", "secret"],
  ]);
  const listeners = new Set<ChangeListener>();
  let asked = 0;
  const backend: AuthBackend = {
    id: "users",
    tokenPrefixes: ["token-"],
    credentialHeaders: ["remote-user"],
    async authenticate({ credentials, client, header }): Promise<AuthResult> {
      asked++;
      const identity = (username: string) => ({ subject: username, username, groups: [], backend: "users" });
      const [named] = header("remote-user");
      if (named !== undefined) return { status: "authenticated", identity: identity(named) };
      if (credentials?.scheme === "bearer") {
        return credentials.token === "good" && client === "192.0.2.1"
          ? { status: "authenticated", identity: identity("robot"), expiresAt: Date.now() + 5000 }
          : { status: "rejected", reason: "no such token" };
      }
      if (credentials === undefined) return { status: "abstained" };
      const { username, password } = credentials;
      const right = password.startsWith("token-") ? client === "192.0.2.1" : passwords.get(username) === password;
      return right
        ? { status: "authenticated", identity: identity(username) }
        : { status: "rejected", reason: "the password is wrong" };
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const { authenticate, close } = createAuthenticator({
    backends: [backend],
    loginCache: { ttl: 10_000, maxEntries: 2 },
    throttle: false,
    ...more,
  });
  return {
    close,
    verdict: async (request: IncomingMessage, address: string) => authenticate(request, never, { address }),
    change(username: string, password: string): void {
      passwords.set(username, password);
      for (const listener of listeners) listener(username);
    },
    get asked() {
      return asked;
    },
  };
}

const header = fc.constantFrom(
  ...["alice:secret", "alice:changed", "alice:Secret", "bob:secret", "alice:token-1", ":"].map(basic),
  "Bearer good",
  "Bearer bad",
  "Digest x",
);
const usual = [["Authorization", basic("alice:secret")]] as const;
const headers = fc.oneof(
  { weight: 6, arbitrary: fc.constant(usual) },
  { weight: 2, arbitrary: fc.constant([["Authorization", "Bearer good"]] as const) },
  { weight: 4, arbitrary: header.map((value) => [["Authorization", value]] as const) },
  fc
    .tuple(fc.constantFrom(basic("alice:secret"), basic("bob:secret")), header)
    .map(([one, other]) => [["Authorization", one] as const, ["AUTHORIZATION", other] as const]),
  fc
    .tuple(header, fc.constantFrom("alice", "carol"))
    .map(([login, user]) => [["authorization", login] as const, ["Remote-User", user] as const]),
  fc.constant([]),
);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      headers,
      address: fc.constantFrom("192.0.2.1", "192.0.2.1", "192.0.2.2"),
      kind: fc.constant("request"),
    }),
  },
  fc.record({ kind: fc.constant("change"), password: fc.constantFrom("secret", "changed") }),
  fc.record({ kind: fc.constant("wait"), milliseconds: fc.constantFrom(100, 4999, 5000, 10_000) }),
);

describe("a login that a connection repeats", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "Date"] }));
  afterEach(() => void vi.useRealTimers());

  test("has the verdict that it has on a connection of its own", async () => {
    let [requested, cached] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 24 }), async (steps) => {
        const requests = steps.filter((each) => each.kind === "request");
        const [one, other] = [scene(), scene()];
        const heads = [...(requests.length > 0 ? await receivedRequests(requests) : [])];
        for (const each of steps) {
          if (each.kind === "change") for (const side of [one, other]) side.change("alice", each.password);
          else if (each.kind === "wait") vi.advanceTimersByTime(each.milliseconds);
          else {
            const shared = heads.shift();
            if (shared === undefined) throw new Error("a request is missing");
            const before = one.asked;
            const verdict = await one.verdict(shared, each.address);
            expect(verdict).toEqual(await other.verdict(await receivedRequest(each), each.address));
            expect(one.asked).toBe(other.asked);
            requested++;
            if (one.asked === before && verdict.outcome === "authenticated") cached++;
          }
        }
      }),
    );
    // The cache was used, but not always.
    expect(cached).toBeGreaterThan(requested / 10);
    expect(cached).toBeLessThan(requested);
  });

  async function sent(count: number, more: readonly (readonly [string, string])[] = []) {
    const heads = Array.from({ length: count }, () => ({
      headers: [["Authorization", basic("alice:secret")] as const, ...more],
    }));
    return receivedRequests(heads);
  }

  test("is not parsed again", async () => {
    const { verdict } = scene();
    const requests = await sent(3);
    const parsed = vi.spyOn(Buffer, "from");
    const counts: number[] = [];
    for (const request of requests) {
      await verdict(request, "192.0.2.1");
      counts.push(parsed.mock.calls.filter((call: readonly unknown[]) => call[1] === "base64").length);
      parsed.mockClear();
    }
    parsed.mockRestore();
    expect(counts).toEqual([1, 1, 0]);
  });

  test("is verified anew after its user has changed, and after the authenticator was closed", async () => {
    const { verdict, change, close } = scene();
    const requests = await sent(4);
    const outcomes: string[] = [];
    for (const [index, request] of requests.entries()) {
      if (index === 3) change("alice", "changed");
      outcomes.push((await verdict(request, "192.0.2.1")).outcome);
    }
    expect(outcomes).toEqual(["authenticated", "authenticated", "authenticated", "rejected"]);
    close();
  });
});

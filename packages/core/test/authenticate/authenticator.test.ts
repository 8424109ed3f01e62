import type { IncomingMessage } from "node:http";
import type { AuthBackend, AuthRequest, AuthResult } from "@registry-gate/auth";
import { describe, expect, test, vi } from "vitest";
import { createAuthenticator } from "../../src/authenticate/create-authenticator.ts";
import type { AuthenticatorOptions } from "../../src/options/options.ts";
import { receivedRequest } from "../received-request.ts";

const basic = (login: string): readonly [string, string] => [
  "Authorization",
  `Basic ${Buffer.from(login).toString("base64")}`,
];
const address = "203.0.113.7";
const never = (): AbortSignal => new AbortController().signal;

/** An authenticator whose requests are all from one client. */
function identifier(backends: readonly AuthBackend[], options: Omit<AuthenticatorOptions, "backends"> = {}) {
  const { authenticate, close } = createAuthenticator({ backends, ...options });
  const identify = (request: IncomingMessage, client: string, untilGone: () => AbortSignal) =>
    authenticate(request, untilGone, { address: client });
  return { identify, close };
}

function knowing(id: string, username: string): AuthResult {
  return { status: "authenticated", identity: { subject: username, username, groups: [], backend: id } };
}

/** Gives every caller the same answer, and keeps what it was asked. */
function backend(id: string, result: AuthResult, more: Pick<AuthBackend, "credentialHeaders" | "onChange"> = {}) {
  const authenticate = vi.fn(async (_request: AuthRequest) => result);
  return { ...more, id, authenticate };
}

describe("a login", () => {
  test("is passed to the backends as parsed", async () => {
    const users = backend("users", knowing("users", "alice"));
    const { identify } = identifier([users]);
    const request = await receivedRequest({ headers: [basic("alice:secret")], address: "::ffff:203.0.113.7" });
    expect(await identify(request, address, never)).toMatchObject({
      outcome: "authenticated",
      principal: { kind: "user", identity: { username: "alice" }, via: "basic" },
    });
    expect(users.authenticate.mock.calls[0]?.[0]).toMatchObject({
      credentials: { scheme: "basic", username: "alice", password: "secret" },
      peer: { address: "203.0.113.7", unixSocket: false },
      client: address,
    });
  });

  test("that is malformed never reaches a backend, and is not anonymous", async () => {
    const users = backend("users", knowing("users", "alice"));
    const { identify } = identifier([users]);
    for (const header of ["", "Basic", "Basic YQ==", "Digest", "Bearer a b"]) {
      const request = await receivedRequest({ headers: [["Authorization", header]] });
      expect(await identify(request, address, never)).toMatchObject({ outcome: "rejected" });
    }
    expect(users.authenticate).not.toHaveBeenCalled();
  });

  test("that is missing makes the caller anonymous, once every backend has been asked", async () => {
    const users = backend("users", { status: "abstained" });
    const { identify } = identifier([users]);
    const request = await receivedRequest();
    expect(await identify(request, address, never)).toEqual({ outcome: "anonymous", principal: { kind: "anonymous" } });
    expect(users.authenticate.mock.calls[0]?.[0].credentials).toBeUndefined();
  });

  test("with an empty name and password is anonymous, as skopeo and podman send it", async () => {
    const users = backend("users", { status: "abstained" });
    const { identify } = identifier([users]);
    const request = await receivedRequest({ headers: [["Authorization", "Basic Og=="]] });
    expect(await identify(request, address, never)).toEqual({ outcome: "anonymous", principal: { kind: "anonymous" } });
    expect(users.authenticate.mock.calls[0]?.[0].credentials).toBeUndefined();
  });

  test("is cached: the same login again resolves synchronously, without a signal", async () => {
    const users = backend("users", knowing("users", "alice"));
    const { identify } = identifier([users]);
    const first = await identify(await receivedRequest({ headers: [basic("alice:secret")] }), address, never);
    const untilGone = vi.fn(never);
    expect(identify(await receivedRequest({ headers: [basic("alice:secret")] }), address, untilGone)).toBe(first);
    expect(untilGone).not.toHaveBeenCalled();
    await identify(await receivedRequest({ headers: [basic("alice:secret2")] }), address, never);
    await identify(await receivedRequest({ headers: [["Authorization", "Bearer secret"]] }), address, never);
    expect(users.authenticate).toHaveBeenCalledTimes(3);
  });

  test("in two forms of Unicode is one login", async () => {
    const users = backend("users", knowing("users", "alice"));
    const { identify } = identifier([users]);
    await identify(await receivedRequest({ headers: [basic("\u00e4:p\u00e4ss")] }), address, never);
    await identify(await receivedRequest({ headers: [basic("a\u0308:pa\u0308ss")] }), address, never);
    expect(users.authenticate).toHaveBeenCalledTimes(1);
  });

  test("is verified each time without a cache", async () => {
    const users = backend("users", knowing("users", "alice"));
    const { identify } = identifier([users], { loginCache: false });
    for (let round = 0; round < 3; round++) {
      await identify(await receivedRequest({ headers: [basic("alice:secret")] }), address, never);
    }
    expect(users.authenticate).toHaveBeenCalledTimes(3);
  });

  test("is verified again after a change of any backend, until the gate is closed", async () => {
    const listeners = new Set<() => void>();
    const onChange = (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    };
    const first = backend("first", { status: "abstained" }, { onChange });
    const users = backend("users", knowing("users", "alice"));
    const { identify, close } = identifier([first, users]);
    const request = () => receivedRequest({ headers: [basic("alice:secret")] });
    await identify(await request(), address, never);
    for (const listener of listeners) listener();
    await identify(await request(), address, never);
    expect(users.authenticate).toHaveBeenCalledTimes(2);
    close();
    expect(listeners.size).toBe(0);
  });
});

describe("a header that a backend reads", () => {
  const sso = () => backend("sso", knowing("sso", "alice"), { credentialHeaders: ["x-user", "x-groups"] });

  test("is passed to it value by value, and no other header is", async () => {
    const portal = sso();
    const { identify } = identifier([portal]);
    const headers = [
      ["X-User", "alice"],
      ["X-Groups", "a"],
      ["x-groups", "b, c"],
      ["Cookie", "session=1"],
      basic("alice:secret"),
    ] as const;
    await identify(await receivedRequest({ headers }), address, never);
    const asked = portal.authenticate.mock.calls[0]?.[0];
    expect(asked?.header("x-user")).toEqual(["alice"]);
    expect(asked?.header("x-groups")).toEqual(["a", "b, c"]);
    for (const name of ["cookie", "authorization", "host", "X-User", "__proto__"])
      expect(asked?.header(name)).toEqual([]);
  });

  test("disables the cache: the result may depend on the connection", async () => {
    const portal = sso();
    const { identify } = identifier([portal]);
    const withHeader = () => receivedRequest({ headers: [["X-User", "alice"], basic("alice:secret")] });
    await identify(await withHeader(), address, never);
    await identify(await withHeader(), address, never);
    await identify(await receivedRequest({ headers: [["X-User", "alice"]] }), address, never);
    await identify(await receivedRequest(), address, never);
    await identify(await receivedRequest(), address, never);
    expect(portal.authenticate).toHaveBeenCalledTimes(5);
    // Nor does a login that was answered with it answer for the login alone.
    await identify(await receivedRequest({ headers: [basic("alice:secret")] }), address, never);
    expect(portal.authenticate).toHaveBeenCalledTimes(6);
  });

  test("is checked before a cached login", async () => {
    const conflict: AuthResult = { status: "conflicting", reason: "alice and bob" };
    const portal = backend("portal", conflict, { credentialHeaders: ["x-user"] });
    const users = backend("users", knowing("users", "alice"));
    const { identify } = identifier([users, portal]);
    expect(await identify(await receivedRequest({ headers: [basic("alice:secret")] }), address, never)).toMatchObject({
      outcome: "authenticated",
    });
    const both = await receivedRequest({ headers: [basic("alice:secret"), ["X-User", "bob"]] });
    expect(await identify(both, address, never)).toMatchObject({ outcome: "conflicting" });
    expect(users.authenticate).toHaveBeenCalledTimes(1);
  });

  test("makes its backend the first, before the others in order", async () => {
    const order: string[] = [];
    const noting = (id: string, headers: readonly string[]): AuthBackend => ({
      id,
      credentialHeaders: headers,
      async authenticate() {
        order.push(id);
        return { status: "abstained" };
      },
    });
    const backends = [noting("a", []), noting("b", ["x-b"]), noting("c", []), noting("d", ["x-d"])];
    const { identify } = identifier(backends);
    await identify(await receivedRequest({ headers: [["X-D", "1"]] }), address, never);
    await identify(await receivedRequest(), address, never);
    expect(order).toEqual([..."dabc", ..."abcd"]);
  });
});

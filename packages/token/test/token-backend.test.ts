import { BackendUnavailableError, type Grants, type Identity } from "@registry-gate/auth";
import { formatChallenge } from "@registry-gate/auth-kit";
import { createAuthenticator } from "@registry-gate/core";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { bearerChallenge } from "../src/challenge.ts";
import { issueToken } from "../src/issue.ts";
import { randomKeys } from "../src/key-file.ts";
import { tokenBackend } from "../src/token-backend.ts";
import { alice, authRequest, bearer, nobody } from "./fixtures.ts";

const keys = await randomKeys();
const content = {
  issuer: "registry-gate",
  service: "registry.example.com",
  principal: alice,
  access: [
    { type: "repository", name: "team/app", actions: ["pull", "push", "fly"] },
    { type: "registry", name: "catalog", actions: ["*"] },
  ],
  ttl: 300_000,
} as const;
const grants: Grants = [
  { type: "repository", name: "team/app", action: "pull" },
  { type: "repository", name: "team/app", action: "push" },
  { type: "registry", name: "catalog", action: "*" },
];

function later(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + milliseconds });
  onTestFinished(() => void vi.useRealTimers());
}

describe("tokenBackend", () => {
  it("signs in whom a token was issued to, with its grants and until it ends", async () => {
    const { token, issuedAt, expiresIn } = await issueToken(keys, content);
    expect(await tokenBackend({ keys }).authenticate(bearer(token))).toEqual({
      status: "authenticated",
      identity: alice.identity,
      grants,
      widenable: true,
      expiresAt: (issuedAt + expiresIn + 5) * 1000,
    });
  });

  it("says that no wider token can be had where the login itself was limited", async () => {
    const { token } = await issueToken(keys, { ...content, principal: { ...alice, grants } });
    const result = await tokenBackend({ keys }).authenticate(bearer(token));
    expect(result).toMatchObject({ status: "authenticated", identity: alice.identity });
    expect(result).not.toHaveProperty("widenable");
  });

  it("asks the backend of the login whether it still holds, where that can tell", async () => {
    const { token } = await issueToken(keys, content);
    let rememberFor: number | undefined = 500;
    const recheck = vi.fn(async () => rememberFor);
    const { backend: id } = alice.identity;
    const issuer = { id, authenticate: async () => ({ status: "abstained" }) as const, recheck };
    const backend = tokenBackend({ keys, backends: () => [issuer] });
    expect(await backend.authenticate(bearer(token))).toMatchObject({ status: "authenticated", rememberFor: 500 });
    expect(recheck).toHaveBeenCalledWith(alice.identity, expect.objectContaining({ client: bearer(token).client }));
    rememberFor = undefined;
    expect(await backend.authenticate(bearer(token))).toMatchObject({ status: "rejected" });
    recheck.mockRejectedValue(new BackendUnavailableError(id, "away"));
    await expect(backend.authenticate(bearer(token))).rejects.toThrow(BackendUnavailableError);
  });

  it("takes no token of a login by a backend that is not there", async () => {
    const { token } = await issueToken(keys, content);
    const backend = tokenBackend({ keys, backends: () => [] });
    expect(await backend.authenticate(bearer(token))).toMatchObject({ status: "rejected" });
  });

  it("counts an expired token only for a user who is still there", async () => {
    const { token } = await issueToken(keys, content);
    later(310_000);
    let found: Identity | undefined = alice.identity;
    const { backend: id } = alice.identity;
    const issuer = { id, authenticate: async () => ({ status: "abstained" }) as const, lookup: async () => found };
    const backend = tokenBackend({ keys, backends: () => [issuer] });
    expect(await backend.authenticate(bearer(token))).toMatchObject({ status: "authenticated", uploadsOnly: true });
    found = undefined;
    expect(await backend.authenticate(bearer(token))).toMatchObject({ status: "rejected" });
  });

  it("signs in nobody by a token that was issued to nobody", async () => {
    const { token } = await issueToken(keys, { ...content, principal: nobody });
    expect(await tokenBackend({ keys }).authenticate(bearer(token))).toMatchObject({ status: "anonymous", grants });
  });

  it("counts an expired token for uploads alone, and for as long as it is told", async () => {
    const { token } = await issueToken(keys, content);
    const { token: anonymous } = await issueToken(keys, { ...content, principal: nobody });
    later(310_000);
    const backend = tokenBackend({ keys, uploadGrace: 60_000 });
    expect(await backend.authenticate(bearer(token))).toMatchObject({
      status: "authenticated",
      uploadsOnly: true,
      grants,
    });
    expect(await backend.authenticate(bearer(anonymous))).toMatchObject({ status: "rejected" });
    expect(await tokenBackend({ keys, uploadGrace: 0 }).authenticate(bearer(token))).toMatchObject({
      status: "rejected",
    });
    later(60_000);
    expect(await backend.authenticate(bearer(token))).toMatchObject({ status: "rejected" });
  });

  it.each([
    ["no credentials", authRequest()],
    ["a password", authRequest({ scheme: "basic", username: "alice", password: "a" })],
    ["an opaque token", bearer("rga_abc")],
    ["a token of another issuer", bearer("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA")],
  ])("abstains from %s", async (_, request) => {
    expect(await tokenBackend({ keys }).authenticate(request)).toEqual({ status: "abstained" });
  });

  it("does not take a token as the password of a Basic login", async () => {
    const { token } = await issueToken(keys, content);
    const request = authRequest({ scheme: "basic", username: "alice", password: token });
    expect(await tokenBackend({ keys }).authenticate(request)).toEqual({ status: "abstained" });
  });

  it("rejects a token of other keys, of another issuer, and for another service", async () => {
    const { token } = await issueToken(await randomKeys(), content);
    expect(await tokenBackend({ keys }).authenticate(bearer(token))).toMatchObject({ status: "rejected" });
    const { token: own } = await issueToken(keys, content);
    for (const more of [{ issuer: "other" }, { service: "other" }, { realm: "https://other.example.com/v2/auth" }]) {
      expect(await tokenBackend({ keys, ...more }).authenticate(bearer(own))).toMatchObject({ status: "rejected" });
    }
    const realm = "https://registry.example.com/v2/auth";
    expect(await tokenBackend({ keys, realm }).authenticate(bearer(own))).toMatchObject({ status: "authenticated" });
  });

  it("ends remembered logins when the keys change", async () => {
    let notify = (): void => {};
    const changing = {
      ...keys,
      onChange: (listener: () => void) => {
        notify = listener;
        return () => {};
      },
    };
    const backend = tokenBackend({ keys: changing });
    const listener = vi.fn();
    backend.onChange?.(listener);
    notify();
    expect(listener).toHaveBeenCalledWith();
    expect(createAuthenticator({ backends: [backend] }).backends).toEqual([backend]);
  });
});

describe("bearerChallenge", () => {
  const origin = "https://registry.example.com:5043";
  const app = (action: "pull" | "push" | "delete") => ({ type: "repository", name: "team/app", action }) as const;

  it.each([
    [{ accesses: [], origin }, `Bearer realm="${origin}/v2/auth",service="registry.example.com:5043"`],
    [
      { accesses: [app("pull")], origin, error: "insufficient_scope" as const },
      `Bearer realm="${origin}/v2/auth",service="registry.example.com:5043",scope="repository:team/app:pull",error="insufficient_scope",error_description="authentication required: log in"`,
    ],
    [
      { accesses: [app("push"), { ...app("pull"), name: "team/base" }], origin },
      `Bearer realm="${origin}/v2/auth",service="registry.example.com:5043",scope="repository:team/app:pull,push repository:team/base:pull"`,
    ],
    [
      { accesses: [{ type: "registry", name: "catalog", action: "*" } as const], origin },
      `Bearer realm="${origin}/v2/auth",service="registry.example.com:5043",scope="registry:catalog:*"`,
    ],
  ])("asks for what the request needs: %j", (context, header) => {
    expect(formatChallenge(bearerChallenge()(context))).toBe(header);
  });

  it("names the realm and the service that it is told", () => {
    const challenge = (options: object) => formatChallenge(bearerChallenge(options)({ accesses: [], origin }));
    const realm = "https://auth.example.com/token";
    expect(challenge({ realm })).toBe(`Bearer realm="${realm}",service="auth.example.com"`);
    expect(challenge({ realm, service: 'a "b"\\' })).toBe(`Bearer realm="${realm}",service="a \\"b\\"\\\\"`);
  });
});

import type { AuthBackend, AuthRequest, AuthResult } from "@registry-gate/auth";
import { maxAuthorizationLength, parseAuthorization } from "@registry-gate/auth-kit";
import { describe, expect, test, vi } from "vitest";
import { createAuthenticator } from "../../src/authenticate/create-authenticator.ts";
import { receivedRequest } from "../received-request.ts";

const address = "203.0.113.7";
const never = (): AbortSignal => new AbortController().signal;
const knowing = (id: string): AuthResult => ({
  status: "authenticated",
  identity: { subject: id, username: id, groups: [], backend: id },
});

function backend(id: string, more: Pick<AuthBackend, "credentialHeaders" | "maxCredentialBytes">) {
  return { ...more, id, authenticate: vi.fn(async (_request: AuthRequest) => knowing(id)) };
}

const login = (password: string): string => `Basic ${Buffer.from(`oauth2:${password}`).toString("base64")}`;
async function verdictOf(backends: readonly AuthBackend[], authorization: string, more: [string, string][] = []) {
  const headers = [["Authorization", authorization] as const, ...more];
  return createAuthenticator({ backends }).authenticate(await receivedRequest({ headers }), never, { address });
}

const long = "t".repeat(13_000);

describe("an over-long password or token", () => {
  test.each([`Bearer ${long}`, login(long)])("reaches the backends that take it, and no others", async (header) => {
    const passwords = backend("passwords", {});
    const tokens = backend("tokens", { maxCredentialBytes: 13_000 });
    expect(await verdictOf([passwords, tokens], header)).toMatchObject({
      principal: { identity: { username: "tokens" } },
    });
    expect(passwords.authenticate).not.toHaveBeenCalled();
  });

  test("is rejected where every backend has a lower limit", async () => {
    const less = backend("less", { maxCredentialBytes: 12_999 });
    expect(await verdictOf([backend("passwords", {}), less], login(long))).toEqual({
      outcome: "rejected",
      reason:
        "passwords: the password or token is longer than 12288 bytes; less: the password or token is longer than 12999 bytes",
    });
    expect(await verdictOf([backend("passwords", {})], login(long))).toEqual({
      outcome: "rejected",
      reason: "the Authorization header is malformed",
      malformed: true,
    });
  });

  test("is rejected where a backend with a lower limit has its headers in the request", async () => {
    const header = backend("header", { credentialHeaders: ["x-user"] });
    const tokens = backend("tokens", { maxCredentialBytes: 13_000 });
    expect(await verdictOf([tokens, header], login(long), [["X-User", "bob"]])).toMatchObject({ outcome: "rejected" });
    expect(tokens.authenticate).not.toHaveBeenCalled();
  });
});

test("an Authorization header may hold the longest username and the longest accepted password", () => {
  for (const bytes of [12_289, 16_384, 20_000]) {
    const header = `Basic ${Buffer.from(`${"n".repeat(512)}:${"p".repeat(bytes)}`).toString("base64")}`;
    expect(parseAuthorization(header, maxAuthorizationLength(bytes))).toMatchObject({ password: "p".repeat(bytes) });
    expect(parseAuthorization(header)).toBeUndefined();
  }
  expect(maxAuthorizationLength(1_000_000)).toBe(32_768);
  expect(maxAuthorizationLength(1)).toBe(12_288);
});

import type { Credentials } from "@registry-gate/auth";
import { type SsoHeaderOptions, ssoHeaderBackend } from "@registry-gate/auth-sso";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ask, basic } from "./fixtures.ts";
import { asserting, keyServer, loggingIn, openJwt, type SigningKey, signingKey, tokenOf } from "./issuer.ts";

describe("a header's user name", () => {
  async function open(options: Partial<SsoHeaderOptions>) {
    const backend = await ssoHeaderBackend({ trustedProxies: ["10.1.0.0/16"], userHeader: "X-User", ...options });
    onTestFinished(() => backend.close?.());
    return (headers: Readonly<Record<string, string>>, credentials?: Credentials) =>
      ask(backend, { headers, ...(credentials !== undefined && { credentials }) });
  }

  test("is written in lower case where that is configured, and as it comes otherwise", async () => {
    const lower = await open({ usernameCase: "lower", stripUserPrefix: "CORP:" });
    expect(await lower({ "X-User": "CORP:Alice.Example" })).toMatchObject({
      identity: { username: "alice.example", subject: "alice.example" },
    });
    expect(await lower({ "X-User": "corp:alice" })).toMatchObject({ status: "rejected" });
    for (const options of [{}, { usernameCase: "keep" as const }]) {
      const keep = await open(options);
      expect(await keep({ "X-User": "Alice" })).toMatchObject({ identity: { username: "Alice" } });
    }
  });

  test("does not conflict with a login that differs by case alone where case does not count", async () => {
    const headers = { "X-User": "Alice" };
    const lower = await open({ usernameCase: "lower" });
    expect(await lower(headers, basic("ALICE", "x"))).toMatchObject({ status: "authenticated" });
    expect(await lower(headers, basic("bob", "x"))).toMatchObject({ status: "conflicting" });
    expect(await (await open({}))(headers, basic("ALICE", "x"))).toMatchObject({ status: "conflicting" });
  });

  test("is configured by one of two words", async () => {
    const options = { usernameCase: "upper" } as unknown as SsoHeaderOptions;
    await expect(open(options)).rejects.toThrow("usernameCase: must be keep or lower");
  });
});

describe("a token's user name", () => {
  let key: SigningKey;
  beforeAll(async () => {
    key = await signingKey("k1");
  });
  const open = async (options: object) => (await openJwt({ jwks: (await keyServer(key)).url, ...options })).backend;

  test("is written in lower case with its prefix where that is configured, and as it comes otherwise", async () => {
    const token = await tokenOf(key, { preferred_username: "Alice" });
    const claim = { usernameClaim: "preferred_username", usernamePrefix: "IdP-" };
    const lower = await open({ ...claim, usernameCase: "lower" });
    expect(await asserting(lower, token)).toMatchObject({ identity: { username: "idp-alice" } });
    for (const typed of ["idp-alice", "IDP-ALICE", "oauth2"]) {
      expect(await loggingIn(lower, typed, token)).toMatchObject({ status: "authenticated" });
    }
    expect(await loggingIn(lower, "idp-bob", token)).toMatchObject({ status: "rejected" });
    const keep = await open(claim);
    expect(await asserting(keep, token)).toMatchObject({ identity: { username: "IdP-Alice" } });
    expect(await loggingIn(keep, "idp-alice", token)).toMatchObject({ status: "rejected" });
  });
});

import type { AuthResult } from "@registry-gate/auth";
import type { SsoJwtOptions } from "@registry-gate/auth-sso";
import { beforeAll, expect, test } from "vitest";
import { bearing, keyServer, openJwt, type SigningKey, signingKey, tokenOf } from "./issuer.ts";

let key: SigningKey;
beforeAll(async () => {
  key = await signingKey("k1");
});

async function of(claims: Readonly<Record<string, unknown>>, options: SsoJwtOptions): Promise<AuthResult> {
  const { backend } = await openJwt({ jwks: (await keyServer(key)).url, ...options });
  return bearing(backend, await tokenOf(key, claims));
}

test.each<[SsoJwtOptions, Record<string, unknown>, readonly string[]]>([
  [{}, { groups: ["a"] }, []],
  [{ groupsClaim: "groups" }, { groups: ["a", "b, c", " d ", "", "a"] }, ["a", "b, c", "d"]],
  [{ groupsClaim: "groups" }, {}, []],
  [{ groupsClaim: "groups" }, { groups: null }, []],
  [{ groupsClaim: "groups" }, { groups: "one, two" }, ["one, two"]],
  [{ groupsClaim: "groups", groupsSeparator: "," }, { groups: "one, two" }, ["one", "two"]],
  [{ groupsClaim: "groups", groupsSeparator: "json" }, { groups: '["one","two"]' }, ["one", "two"]],
  [{ groupsClaim: "realm_access.roles" }, { realm_access: { roles: ["a"] } }, ["a"]],
  [{ groupsClaim: "realm_access.roles" }, { "realm_access.roles": ["a"] }, []],
  [{ groupsClaim: ["https://acme.example/groups"] }, { "https://acme.example/groups": ["a"] }, ["a"]],
  [{ groupsClaim: ["a", "b.c"] }, { a: { "b.c": ["x"] } }, ["x"]],
  [{ groupsClaim: "constructor.name" }, {}, []],
  [{ groupsClaim: "groups.0" }, { groups: ["a"] }, []],
  [{ extraGroups: ["ci"] }, {}, ["ci"]],
  [{ groupsClaim: "groups", extraGroups: ["ci", "a"] }, { groups: ["a"] }, ["a", "ci"]],
])("with %j, the claims %j give the groups %j", async (options, claims, groups) => {
  expect(await of(claims, options)).toMatchObject({ status: "authenticated", identity: { groups } });
});

test.each([{ groups: [1] }, { groups: { a: 1 } }, { groups: ["a\n"] }, { groups: ["a\u0000b"] }, { groups: 7 }])(
  "the groups %j make a token be rejected, but for white space around them",
  async (claims) => {
    const result = await of(claims, { groupsClaim: "groups" });
    if (JSON.stringify(claims) === '{"groups":["a\\n"]}') expect(result).toMatchObject({ identity: { groups: ["a"] } });
    else
      expect(result).toMatchObject({ status: "rejected", reason: expect.stringContaining("which holds the groups") });
  },
);

test("the name can be a nested claim, with a prefix before it", async () => {
  const result = await of({ user: { login: "alice" } }, { usernameClaim: "user.login", usernamePrefix: "idp:" });
  expect(result).toMatchObject({ identity: { username: "idp:alice", subject: "user-1" } });
});

test("by default the name is the subject; without a subject it is the name", async () => {
  expect(await of({ sub: undefined }, {})).toMatchObject({ identity: { username: "alice", subject: "alice" } });
  expect(await of({}, { usernameClaim: "sub" })).toMatchObject({ identity: { username: "user-1", subject: "user-1" } });
});

test("an e-mail address that the issuer has not verified names nobody", async () => {
  const email = "boss@example.com";
  const options = { usernameClaim: "email" };
  for (const verified of [false, "false"]) {
    expect(await of({ email, email_verified: verified }, options)).toEqual({
      status: "rejected",
      reason: "the e-mail address is not verified",
    });
  }
  for (const verified of [true, "true", undefined]) {
    expect(await of({ email, email_verified: verified }, options)).toMatchObject({ identity: { username: email } });
  }
});

test.each<[Record<string, string | string[]>, Record<string, unknown>, boolean]>([
  [{ repository: "acme/app" }, { repository: "acme/app" }, true],
  [{ repository: "acme/app" }, { repository: "acme/app2" }, false],
  [{ repository: "acme/app" }, { repository: "evil/acme/app" }, false],
  [{ repository: "acme/app" }, {}, false],
  [{ repository: "acme/*" }, { repository: "acme/app" }, true],
  [{ repository: "acme/*" }, { repository: "acme/app/x" }, false],
  [{ repository: "acme/*" }, { repository: "acme-evil/app" }, false],
  [{ repository: "acme/**" }, { repository: "acme/a/b" }, true],
  [{ repository: "acme/**" }, { repository: "evil/acme/a" }, false],
  [{ repository: "acme.x/*" }, { repository: "acme-x/app" }, false],
  [{ ref: ["refs/heads/main", "refs/tags/v*"] }, { ref: "refs/tags/v1.2" }, true],
  [{ ref: ["refs/heads/main", "refs/tags/v*"] }, { ref: "refs/heads/dev" }, false],
  [{ ref: "refs/heads/main" }, { ref: "refs/heads/main\nx" }, false],
  [{ ref_protected: "true" }, { ref_protected: true }, true],
  [{ ref_protected: "true" }, { ref_protected: false }, false],
  [{ roles: "writer" }, { roles: ["reader", "writer"] }, true],
  [{ roles: "writer" }, { roles: ["reader", { writer: 1 }] }, false],
  [{ "realm_access.roles": "writer" }, { realm_access: { roles: ["writer"] } }, true],
  [{ a: "x", b: "y" }, { a: "x" }, false],
  [{ toString: "**" }, {}, false],
])("with %j required, the claims %j are accepted: %j", async (requiredClaims, claims, accepted) => {
  const result = await of(claims, { requiredClaims });
  expect(result.status).toBe(accepted ? "authenticated" : "rejected");
});

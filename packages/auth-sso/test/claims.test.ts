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

test.each([{ groups: { a: 1 } }, { groups: { length: 1 } }])("the groups %j are no groups", async (claims) => {
  expect(await of(claims, { groupsClaim: "groups" })).toEqual({
    status: "rejected",
    reason: "the claim groups, which holds the groups, is not a list of texts",
  });
});

test.each<[unknown, readonly string[], readonly string[], readonly string[]]>([
  [["a\n"], ["a"], [], []],
  [["a", 7], ["a"], ["7"], ["is a number"]],
  [7, [], ["7"], ["is a number"]],
  [["a", null, { name: "b" }, true, ["c"]], ["a"], [], ["is not a string"]],
  [["a\u0000b", "a"], ["a"], ["a\u0000b", "ab"], ["holds a control character"]],
  [["admins\u200b", "a"], ["a"], ["admins\u200b", "admins"], ["holds an invisible character"]],
  [
    ["a", "\ufeffadmins", "admins\ufeff"],
    ["a"],
    ["\ufeffadmins", "admins", "admins\ufeff"],
    ["holds an invisible character"],
  ],
  [["a", `b${"\u0301".repeat(31)}`], ["a"], [], ["holds more than 30 combining marks in a row"]],
  [["a", "b".repeat(513)], ["a"], ["b".repeat(513)], ["is longer than 512 characters"]],
  [["a", 7, "7"], ["a", "7"], [], ["is a number"]],
])(
  "of the groups %j, a group that no rule can name is skipped, and counts for rules that deny",
  async (groups, certain, ambiguous, reasons) => {
    const { backend, lines } = await openJwt({ jwks: (await keyServer(key)).url, groupsClaim: "groups" });
    const identity = ambiguous.length === 0 ? { groups: certain } : { groups: certain, ambiguousGroups: ambiguous };
    for (let round = 0; round < 3; round++) {
      const result = await bearing(backend, await tokenOf(key, { groups }));
      expect(result).toMatchObject({ status: "authenticated", identity });
    }
    expect(lines.map(({ level, fields }) => [level, fields])).toEqual(
      reasons.map((reason) => ["warn", { claim: "groups", reason }]),
    );
  },
);

test("of 1,003 groups the first 1,000 count, and the others for rules that deny", async () => {
  const groups = Array.from({ length: 1003 }, (_, index) => `g${index}`);
  const { backend, lines } = await openJwt({ jwks: (await keyServer(key)).url, groupsClaim: "groups" });
  expect(await bearing(backend, await tokenOf(key, { groups }))).toMatchObject({
    identity: { groups: groups.slice(0, 1000), ambiguousGroups: groups.slice(1000) },
  });
  expect(lines).toMatchObject([{ fields: { claim: "groups", reason: "is beyond the first 1000" } }]);
});

test.each<[Record<string, unknown>, SsoJwtOptions, string | undefined]>([
  [
    { _claim_names: { groups: "src1" }, _claim_sources: { src1: { endpoint: "https://e" } } },
    {},
    "groups (_claim_names)",
  ],
  [{ hasgroups: true }, {}, "groups (hasgroups)"],
  [{ hasgroups: true, groups: ["a"] }, {}, "groups (hasgroups)"],
  [{ _claim_names: { roles: "src1" } }, { groupsClaim: "roles" }, "roles (_claim_names)"],
  [{ _claim_names: { realm: "src1" } }, { groupsClaim: "realm.roles" }, "realm (_claim_names)"],
  [{ hasgroups: true }, { groupsClaim: "roles" }, undefined],
  [{ hasgroups: false }, {}, undefined],
  [{ _claim_names: { picture: "src1" } }, {}, undefined],
  [{ _claim_names: "groups" }, {}, undefined],
])("with the claims %j and %j, the groups that are left out are %s", async (claims, options, omittedGroups) => {
  const [claim, how] = omittedGroups?.replace(")", "").split(" (") ?? [];
  const { backend, lines } = await openJwt({
    jwks: (await keyServer(key)).url,
    groupsClaim: "groups",
    extraGroups: ["ci"],
    ...options,
  });
  const result = await bearing(backend, await tokenOf(key, claims));
  if (result.status !== "authenticated") throw new Error(result.status);
  const reason = `the issuer left the claim ${claim} out of the token (overage: ${how})`;
  expect(result.identity.groupsIncomplete).toBe(omittedGroups === undefined ? undefined : reason);
  expect(result.identity.groups).toContain("ci");
  expect(lines.map(({ fields }) => fields.reason)).toEqual(omittedGroups === undefined ? [] : [reason]);
});

test("an e-mail address or a name that cannot be read is left out", async () => {
  const result = await of({ email: ["a@example.com"], name: "A\u0000B" }, {});
  if (result.status !== "authenticated") throw new Error(result.status);
  expect(result.identity.claims).toBeUndefined();
});

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

import { type AccessRule, compilePolicy, type Principal } from "@registry-gate/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { importDockerAuth } from "../src/import/docker-auth/import-docker-auth.ts";
import { ImportError, type Imported } from "../src/import/imported.ts";
import { writeYaml } from "../src/import/write-yaml.ts";

const hash = `$2y$05$${"a".repeat(53)}`;

interface Entry {
  readonly match?: Readonly<Record<string, unknown>>;
  readonly actions: readonly string[];
}

interface Given {
  readonly acl: readonly Entry[];
  readonly users?: Readonly<Record<string, object>>;
  readonly more?: object;
}

const staticUsers = { admin: { password: hash }, test: { password: hash }, "": {} };

function imported({ acl, users = staticUsers, more = {} }: Given): Imported {
  const text = stringify({ server: { addr: ":5001" }, users, acl, ...more }, { aliasDuplicateObjects: false });
  return importDockerAuth(
    { name: "docker_auth.yml", directory: "/etc", text },
    { upstream: undefined, passwordFile: undefined },
  );
}

/** What docker_auth documents, and what its matching does: the first entry that matches decides alone. */
function allowedThere(acl: readonly Entry[], account: string, name: string, action: string): boolean {
  for (const { match = {}, actions } of acl) {
    if (!matches(match.account, account, account) || !matches(match.name, name, account)) continue;
    // The requests of these tests come from nowhere that an entry names.
    if (match.ip !== undefined) continue;
    return (actions.length === 1 && actions[0] === "*") || actions.includes(action);
  }
  return false;
}

function matches(pattern: unknown, value: string, account: string): boolean {
  if (pattern === undefined) return true;
  const quoted = account.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
  const text = String(pattern).replaceAll("${account}", quoted);
  const expression = /^\/(.+)\/$/.exec(text)?.[1];
  if (expression !== undefined) return new RegExp(expression).test(value);
  const glob = text.replace(/\\.|\*+|\?|[.+()|{}^$]/g, (sign) =>
    sign.startsWith("*") ? "[^/]*" : sign === "?" ? "[^/]" : sign.length === 2 ? sign : `\\${sign}`,
  );
  return new RegExp(`^${glob}$`).test(value);
}

function allowedHere(
  access: readonly AccessRule[],
  account: string,
  name: string,
  action: "pull" | "push" | "delete",
): boolean {
  const identity = { subject: account, username: account, groups: [], backend: "htpasswd" };
  const principal: Principal = account === "" ? { kind: "anonymous" } : { kind: "user", identity, via: "basic" };
  const verdicts = compilePolicy(access).explain(principal, { type: "repository", name, action });
  return verdicts.some(({ allows }) => allows) && !verdicts.some(({ denies }) => denies);
}

/** The rules, as they are read from what is written. */
function rulesOf(result: Imported): AccessRule[] {
  return parse(writeYaml(result, "")).access;
}

const accounts = ["", "admin", "test"];
const repositories = ["app", "test-1", "admin/app", "test/app", "team/app", "team/deep/app", "teams/app"];
const actions = ["pull", "push", "delete"] as const;

function compare(acl: readonly Entry[], access: readonly AccessRule[]): { wider: string[]; narrower: string[] } {
  const wider: string[] = [];
  const narrower: string[] = [];
  for (const account of accounts) {
    for (const name of repositories) {
      for (const action of actions) {
        const there = allowedThere(acl, account, name, action);
        const here = allowedHere(access, account, name, action);
        if (here && !there) wider.push(`${account} ${action} ${name}`);
        if (there && !here) narrower.push(`${account} ${action} ${name}`);
      }
    }
  }
  return { wider, narrower };
}

describe("an imported ACL of docker_auth", () => {
  test.each<[string, readonly Entry[]]>([
    [
      "its own example",
      [
        { match: { account: "admin" }, actions: ["*"] },
        { match: { account: "test", name: "test-*" }, actions: ["*"] },
        { match: { account: "test" }, actions: [] },
        { match: { account: "/.+/", name: "${account}/*" }, actions: ["*"] },
        { match: { account: "/.+/" }, actions: ["pull"] },
      ],
    ],
    [
      "anonymous pulls that everybody else has too",
      [
        { match: { account: "admin" }, actions: ["*"] },
        { match: { account: "", name: "team/*" }, actions: ["pull"] },
        { match: { account: "/.+/", name: "/^team\\/.*$/" }, actions: ["pull", "push"] },
      ],
    ],
    [
      "a denial in front",
      [
        { match: { name: "/^team/.*$/" }, actions: [] },
        { match: { account: "/^(admin|test)$/" }, actions: ["pull", "push"] },
      ],
    ],
    [
      "everybody's pulls after a user's rights",
      [{ match: { account: "test" }, actions: ["push"] }, { actions: ["pull"] }],
    ],
    ["a star, which matches no slash", [{ match: { account: "/.+/", name: "*" }, actions: ["pull"] }]],
  ])("decides as there: %s", (_, acl) => {
    const result = imported({ acl });
    expect(result.notes).toEqual([]);
    expect(compare(acl, rulesOf(result))).toEqual({ wider: [], narrower: [] });
  });

  const pattern = fc.record(
    {
      account: fc.constantFrom("", "admin", "test", "/.+/", "/.*/", "*", "/^(admin|test)$/", "/^adm/", "te?t"),
      name: fc.constantFrom(
        "*",
        "*/*",
        "team/*",
        "test-*",
        "${account}/*",
        "/^team/",
        "/^team\\/.+$/",
        "/^[^/]+\\/app$/",
        "/app/",
        "t*",
      ),
      ip: fc.constant("192.0.2.0/24"),
    },
    { requiredKeys: [] },
  );
  const entry: fc.Arbitrary<Entry> = fc.record({
    match: pattern,
    actions: fc.constantFrom([], ["*"], ["pull"], ["push"], ["pull", "push"], ["pull", "push", "delete"]),
  });

  test("is never wider, and narrower only where that is noted, whatever the entries are", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), (acl) => {
        const result = imported({ acl });
        const { wider, narrower } = compare(acl, rulesOf(result));
        expect(wider).toEqual([]);
        if (result.notes.length === 0) expect(narrower).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test("names each entry that it leaves out by its line", () => {
    const text = [
      "users:",
      `  admin: { password: "${hash}" }`,
      "acl:",
      '  - { match: { ip: "10.0.0.0/8" }, actions: ["*"] }',
      '  - { match: { labels: { group: dev } }, actions: ["*"] }',
    ].join("\n");
    const { notes, configuration } = importDockerAuth(
      { name: "d.yml", directory: "/etc", text },
      { upstream: "http://registry:5000", passwordFile: undefined },
    );
    expect(notes).toMatchObject([
      { line: 4, reason: "rules do not look at ip: left out" },
      { line: 5, reason: "rules do not look at labels: left out" },
    ]);
    expect(configuration.access).toEqual([]);
  });
});

describe("an ACL of docker_auth that is written with anchors", () => {
  function rulesIn(acl: readonly string[]): readonly AccessRule[] {
    const text = ["users:", `  admin: { password: "${hash}" }`, `  7: { password: "${hash}" }`, "acl:", ...acl].join(
      "\n",
    );
    const result = importDockerAuth(
      { name: "d.yml", directory: "/etc", text },
      { upstream: "http://registry:5000", passwordFile: undefined },
    );
    return rulesOf(result);
  }

  test("is for those whom an alias stands for", () => {
    expect(
      rulesIn([
        "  - match: &admin { account: admin }",
        "    actions: &pull [pull]",
        "  - { match: { account: 7, name: &team team/* }, actions: *pull }",
        '  - { match: { account: "/.+/", name: *team }, actions: *pull }',
        "  - { match: *admin, actions: ['*'] }",
      ]),
    ).toEqual([
      { subjects: ["user:admin"], repositories: ["**"], actions: ["pull"] },
      { subjects: ["user:7"], repositories: ["team/*"], actions: ["pull"] },
      { subjects: ["authenticated"], repositories: ["team/*"], actions: ["pull"] },
    ]);
  });

  test.each([
    ["a merge key", ["  - { match: &m { ip: 10.0.0.1 }, actions: [] }", "  - { match: { <<: *m }, actions: ['*'] }"]],
    ["an alias of nothing", ["  - { match: *m, actions: ['*'] }"]],
    ["an alias within itself", ["  - { match: &m { account: *m }, actions: ['*'] }"]],
    ["a condition that is a list", ["  - { match: { account: [admin] }, actions: ['*'] }"]],
    ["an entry without conditions by their names", ["  - { match: [admin], actions: ['*'] }"]],
    ["an entry that is none", ["  - admin"]],
  ])("is not carried over with %s", (_, acl) => {
    expect(() => rulesIn(acl)).toThrow(ImportError);
  });

  test.each([
    ["a condition of a later version", "{ match: { account: admin, colour: red }, actions: ['*'] }"],
    ["a key of a later version", "{ match: { account: admin }, unless: night, actions: ['*'] }"],
    ["what is a variable here alone", "{ match: { account: admin, name: '${username}/*' }, actions: ['*'] }"],
  ])("leaves out %s", (_, entry) => {
    expect(rulesIn([`  - ${entry}`])).toEqual([]);
  });

  test("takes numbers as they are written", () => {
    expect(rulesIn(["  - { match: { account: 007 }, actions: [pull] }"])).toMatchObject([{ subjects: ["user:007"] }]);
  });
});

describe("imported users of docker_auth", () => {
  test("become lines of a password file, but for those whom any password would do for", () => {
    const users = { alice: { password: hash }, bob: {}, carol: { password: "plain" }, "": {} };
    const { passwords, notes } = imported({ acl: [], users });
    expect(passwords).toEqual([`alice:${hash}`]);
    expect(notes.map(({ text }) => text)).toEqual(["users.bob", "users.carol"]);
  });

  test("of a directory are found as there", () => {
    const more = {
      ldap_auth: {
        addr: "ldap.example.com:636",
        tls: "always",
        bind_dn: "cn=gate,dc=example,dc=com",
        bind_password_file: "ldap-password",
        base: "dc=example,dc=com",
        filter: "(&(uid=${account})(objectClass=person))",
      },
      token: { issuer: "Acme", expiration: 900 },
    };
    const { configuration } = imported({ acl: [], users: {}, more });
    expect(configuration.auth).toEqual({
      challenge: "bearer",
      token: { ttl: "900s" },
      backends: [
        {
          type: "ldap",
          urls: ["ldaps://ldap.example.com:636"],
          bindDN: "cn=gate,dc=example,dc=com",
          bindPasswordFile: "/etc/ldap-password",
          searchBase: "dc=example,dc=com",
          searchFilter: "(&(uid={{username}})(objectClass=person))",
          usernameAttribute: "uid",
        },
      ],
    });
  });

  test("have to be somewhere", () => {
    expect(() => imported({ acl: [], users: {} })).toThrow(ImportError);
  });
});

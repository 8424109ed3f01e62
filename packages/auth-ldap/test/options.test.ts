import { InvalidOptionsError } from "@registry-gate/auth";
import { describe, expect, it } from "vitest";
import { resolveOptions, type UnconnectedSettings } from "../src/resolve-options.ts";
import { requireOptions } from "../src/schema.ts";

const read = (options: unknown): UnconnectedSettings => resolveOptions(requireOptions(options));

const plain = { urls: ["ldaps://ldap.example.org"], searchBase: "ou=people,dc=example,dc=org" };

function faultsOf(options: unknown): readonly string[] {
  try {
    read(options);
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error.message.split("\n");
    throw error;
  }
  return [];
}

describe("options", () => {
  it("have defaults for everything but the servers and where users are", () => {
    expect(read(plain)).toEqual({
      directory: {
        addresses: [{ url: "ldaps://ldap.example.org", ldaps: true, host: "ldap.example.org", port: 636 }],
        connect: { startTLS: false, serverName: undefined, connectTimeout: 3000 },
        timeout: 5000,
        pool: { size: 8, idle: 60_000, maxWaiting: 500 },
      },
      user: {
        by: {
          kind: "search",
          base: plain.searchBase,
          scope: "sub",
          filter: expect.objectContaining({ kind: "equal" }),
        },
        usernameAttribute: "uid",
        activeDirectory: false,
        lowerCase: false,
        readsOwnEntry: false,
      },
      groups: {
        route: { kind: "memberOf", attribute: "memberOf" },
        base: undefined,
        scope: "sub",
        nameAttribute: "cn",
        naming: { kind: "none" },
        nested: false,
        activeDirectory: false,
      },
      requiredGroup: undefined,
      warnings: [
        {
          option: "groups.searchBase",
          message: "rules must name groups by DN: without groups.searchBase no group has a short name",
        },
      ],
    });
  });

  it("have other defaults with Active Directory, each of which can be overridden", () => {
    expect(read({ ...plain, activeDirectory: true })).toMatchObject({
      user: { by: { kind: "login-name" }, usernameAttribute: "sAMAccountName", activeDirectory: true },
      groups: {
        route: { kind: "token" },
        nameAttribute: "sAMAccountName",
        naming: { kind: "domain", domain: "dc=example,dc=org" },
        nested: true,
      },
      warnings: [],
    });
    const overridden = {
      ...plain,
      activeDirectory: true,
      searchFilter: "(mail={{username}})",
      usernameAttribute: "mail",
      groups: { nested: false, memberOfAttribute: "memberOf", nameAttribute: "name" },
    };
    expect(read(overridden)).toMatchObject({
      user: { by: { kind: "search" }, usernameAttribute: "mail", activeDirectory: true },
      groups: { route: { kind: "memberOf", attribute: "memberOf" }, nested: false, nameAttribute: "name" },
    });
  });

  it.each<[string, object, object]>([
    ["none without a base", {}, { kind: "none" }],
    ["those at the base", { groups: { searchBase: "ou=groups,dc=x" } }, { kind: "place", searched: true }],
    [
      "those directly below it, where users read themselves",
      { searchBase: undefined, userDNTemplate: "uid={{username}},dc=x", groups: { searchBase: "dc=x" } },
      { kind: "place", searched: false },
    ],
    [
      "those at the base, where the service account reads for users of a template",
      {
        searchBase: undefined,
        userDNTemplate: "uid={{username}},dc=x",
        bindDN: "cn=gate,dc=x",
        bindPassword: "secret",
        groups: { searchBase: "dc=x" },
      },
      { kind: "place", searched: true },
    ],
    [
      "those of one domain of Active Directory, below a base too",
      { activeDirectory: true, groups: { searchBase: "OU=Groups,DC=eu,DC=x" } },
      { kind: "domain", domain: "dc=eu,dc=x" },
    ],
    [
      "none by cn in Active Directory, which is not unique in a domain",
      { activeDirectory: true, groups: { nameAttribute: "cn" } },
      { kind: "none" },
    ],
    [
      "those at the base by cn in Active Directory",
      { activeDirectory: true, groups: { nameAttribute: "cn", searchBase: "ou=groups,dc=x" } },
      { kind: "place", searched: true },
    ],
    ["none where no domain is named", { activeDirectory: true, searchBase: "ou=x" }, { kind: "none" }],
  ])("give short names to %s", (_, options, naming) => {
    const { searchBase, ...rest } = { ...plain, ...options };
    expect(read(searchBase === undefined ? rest : { ...rest, searchBase }).groups.naming).toEqual(naming);
  });

  it.each<[string, object, readonly string[]]>([
    ["rules cannot name groups", {}, ["groups.searchBase"]],
    ["nobody can be in the required group", { requiredGroup: "pushers" }, ["groups.searchBase", "requiredGroup"]],
    ["that is named by its DN", { requiredGroup: "cn=pushers,dc=x" }, ["groups.searchBase"]],
    ["there is a base", { requiredGroup: "pushers", groups: { searchBase: "dc=x" } }, []],
    ["a domain vouches for names", { requiredGroup: "pushers", activeDirectory: true }, []],
    [
      "users read themselves",
      { searchBase: undefined, userDNTemplate: "uid={{username}},dc=x", groups: { searchBase: "dc=x" } },
      ["groups.searchBase"],
    ],
    [
      "users read themselves, and look no deeper",
      {
        searchBase: undefined,
        userDNTemplate: "uid={{username}},dc=x",
        groups: { searchBase: "dc=x", searchScope: "one" },
      },
      [],
    ],
  ])("are warned of where %s", (_, options, warned) => {
    const { searchBase, ...rest } = { ...plain, ...options };
    const { warnings } = read(searchBase === undefined ? rest : { ...rest, searchBase });
    expect(warnings.map(({ option }) => option)).toEqual(warned);
  });

  it("take times as text and as milliseconds", () => {
    expect(read({ ...plain, timeout: "1.5s", connectTimeout: 250, pool: { idle: "2m" } }).directory).toMatchObject({
      timeout: 1500,
      connect: { connectTimeout: 250 },
      pool: { idle: 120_000 },
    });
  });

  it("make users read themselves only where there is a template and nobody else to read", () => {
    const { searchBase: _, ...rest } = plain;
    const template = { ...rest, userDNTemplate: "uid={{username}},ou=people,dc=example,dc=org" };
    expect(read(template).user.readsOwnEntry).toBe(true);
    expect(read({ ...template, bindDN: "cn=gate,dc=x", bindPassword: "secret" }).user.readsOwnEntry).toBe(false);
  });

  it.each<[string, object, string]>([
    ["no server", { ...plain, urls: [] }, "urls: must not be empty"],
    ["one text for the servers", { ...plain, urls: "ldaps://x" }, "urls: must be a list of URLs"],
    ["another scheme", { ...plain, urls: ["https://x"] }, "urls[0]: must be ldaps://host, ldaps://host:port"],
    ["one server twice", { ...plain, urls: ["ldaps://X", "ldaps://x:636/"] }, "urls[1]: is a duplicate"],
    ["clear text", { ...plain, urls: ["ldap://x"] }, "urls[0]: sends passwords in clear text"],
    ["no base", { urls: plain.urls }, "searchBase: is required, unless there is a userDNTemplate"],
    ["a base that is not a DN", { ...plain, searchBase: "people" }, "searchBase: is not a DN"],
    ["a filter that is none", { ...plain, searchFilter: "uid=x" }, "searchFilter: is not a search filter"],
    ["a filter that finds everybody", { ...plain, searchFilter: "(uid=*)" }, "searchFilter: must hold {{username}}"],
    [
      "a filter that all may pass",
      { ...plain, searchFilter: "(|(uid={{username}})(!(cn={{username}})))" },
      "searchFilter: must require {{username}}",
    ],
    ["a filter with a DN for the user", { ...plain, searchFilter: "(x={{dn}})" }, "{{dn}} is not known here"],
    ["a wrong scope", { ...plain, searchScope: "base" }, "searchScope: must be sub or one"],
    [
      "an attribute that is none",
      { ...plain, usernameAttribute: "u id" },
      "usernameAttribute: must be the name of an attribute",
    ],
    ["a password for nobody", { ...plain, bindPassword: "x" }, "bindDN: is required with a bind password"],
    ["nobody's password", { ...plain, bindDN: "cn=gate,dc=x" }, "bindPasswordFile: is required with bindDN"],
    [
      "two passwords",
      { ...plain, bindDN: "cn=gate,dc=x", bindPassword: "x", bindPasswordFile: "y" },
      "bindPassword: cannot be combined with bindPasswordFile",
    ],
    ["a service account by its name", { ...plain, bindDN: "gate@x.org", bindPassword: "x" }, "bindDN: is not a DN"],
    [
      "a SASL mechanism for a service account",
      { ...plain, activeDirectory: true, bindDN: "EXTERNAL", bindPassword: "x" },
      "bindDN: is not a DN",
    ],
    ["half a client certificate", { ...plain, clientCert: "x.pem" }, "clientKey: is required with clientCert"],
    ["the other half", { ...plain, clientKey: "x.pem" }, "clientCert: is required with clientKey"],
    ["a time of nothing", { ...plain, timeout: "0s" }, "timeout: must be a duration such as 500ms, 30s or 15m"],
    ["a time without a unit", { ...plain, timeout: "5" }, "timeout: must be a duration with a unit: write 5s"],
    ["a time that is none", { ...plain, connectTimeout: "soon" }, "connectTimeout: must be a duration"],
    ["an empty pool", { ...plain, pool: { size: 0 } }, "pool.size: must be a whole number from 1 to 1000"],
    ["a list for the pool", { ...plain, pool: [] }, "pool: must hold size, idle or maxWaiting"],
    ["an empty required group", { ...plain, requiredGroup: " " }, "requiredGroup: is empty"],
    [
      "a filter for groups without a base",
      { ...plain, groups: { searchFilter: "(member={{dn}})" } },
      "groups.searchBase: is required for searchFilter",
    ],
    [
      "nested groups without a base",
      { ...plain, groups: { nested: true } },
      "groups.searchBase: is required for nested groups",
    ],
    ["a base of groups that is not a DN", { ...plain, groups: { searchBase: "x" } }, "groups.searchBase: is not a DN"],
    [
      "two routes to groups",
      { ...plain, groups: { searchBase: "dc=x", searchFilter: "(member={{dn}})", memberOfAttribute: "memberOf" } },
      "groups.memberOfAttribute: has no effect with searchFilter",
    ],
    [
      "a filter of groups that all pass",
      { ...plain, groups: { searchBase: "dc=x", searchFilter: "(!(member={{dn}}))" } },
      "groups.searchFilter: must require {{dn}} or {{username}}",
    ],
    [
      "a template and a search",
      { ...plain, userDNTemplate: "uid={{username}},dc=x" },
      "searchBase: has no effect with userDNTemplate",
    ],
    [
      "a template without a name",
      { urls: plain.urls, userDNTemplate: "uid=x,dc=x" },
      "userDNTemplate: must hold {{username}}",
    ],
    [
      "a key that is not known",
      { ...plain, groups: { searchbase: "dc=x" } },
      "groups.searchbase: is not a known key; did you mean searchBase?",
    ],
    ["no options at all", [], "must be an object with urls"],
  ])("are refused with %s", (_, options, fault) => {
    const faults = faultsOf(options);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(fault);
  });

  it("are refused with every fault at once, and no fault reveals a password", () => {
    const faults = faultsOf({
      ...plain,
      urls: ["ldap://x", "nowhere"],
      searchFilter: "(uid=x)",
      bindPassword: "correct horse",
      groups: { nested: true },
    });
    expect(faults.map((fault) => fault.split(":")[0])).toEqual([
      "urls[0]",
      "urls[1]",
      "bindDN",
      "searchFilter",
      "groups.searchBase",
    ]);
    expect(faults.join()).not.toContain("correct horse");
  });
});

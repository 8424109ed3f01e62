import type { LdapOptions } from "@registry-gate/auth-ldap";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { groupsOf, openBackend, outcomeOf, signIn } from "./login.ts";
import { base, bothNames, count, groupBase, openldap } from "./openldap.ts";

let slapd: Slapd;
let plain: LdapOptions;
beforeAll(async () => {
  slapd = await startSlapd();
  plain = openldap(slapd);
});
afterAll(() => slapd?.close());

describe("groups", () => {
  it("are those of memberOf, by name and by DN", async () => {
    const { backend } = await openBackend(plain);
    expect(await groupsOf(backend, "alice", "alicepw")).toEqual(
      ["R&D (core), EU", `cn=r&d (core)\\, eu,${groupBase}`, ...bothNames("developers")].sort(),
    );
  });

  it("of memberOf are followed upwards, and circles end", async () => {
    const { backend } = await openBackend({ ...plain, groups: { searchBase: groupBase, nested: true } });
    expect(await groupsOf(backend, "bob", "bobpw")).toEqual(
      bothNames("developers", "engineering", "pushers", "circle-a", "circle-b"),
    );
  });

  it.each([
    ["(member={{dn}})", ["R&D (core), EU", "developers"]],
    ["(uniqueMember={{dn}})", ["unique"]],
    ["(memberUid={{username}})", ["posix"]],
    [
      "(|(member={{dn}})(uniqueMember={{dn}})(memberUid={{username}}))",
      ["R&D (core), EU", "developers", "posix", "unique"],
    ],
  ])("are found by %s", async (searchFilter, names) => {
    const { backend } = await openBackend({ ...plain, groups: { searchBase: groupBase, searchFilter } });
    const found = await groupsOf(backend, "alice", "alicepw");
    expect(found.filter((name) => !name.endsWith(base))).toEqual(names);
  });

  it("cost one search a level", async () => {
    const { backend } = await openBackend({
      ...plain,
      groups: { searchBase: groupBase, searchFilter: "(|(member={{dn}})(memberUid={{username}}))", nested: true },
    });
    await signIn(backend, "alice", "alicepw");
    const said = await slapd.logOf(() => signIn(backend, "alice", "alicepw"));
    // The user; developers, R&D and posix; engineering; pushers; and what pushers is in.
    expect(count(said, / SRCH base=/g)).toBe(5);
    expect(count(said, /RESULT tag=97/g)).toBe(1);
  });

  it("elsewhere do not count, whatever their names", async () => {
    const { backend } = await openBackend({ ...plain, groups: { searchBase: groupBase } });
    // One is called pushers, below ou=elsewhere; the other's name reads as the DN of pushers.
    expect(await groupsOf(backend, "carol", "carolpw")).toEqual([
      `cn=cn=pushers\\,ou=groups\\,dc=example\\,dc=org,${groupBase}`,
    ]);
  });

  it("have no short names without a base, and the log says so", async () => {
    const { groups: _, ...everywhere } = plain;
    const { backend, lines } = await openBackend(everywhere);
    expect(await groupsOf(backend, "alice", "alicepw")).toEqual([
      `cn=developers,${groupBase}`,
      `cn=r&d (core)\\, eu,${groupBase}`,
    ]);
    expect(await groupsOf(backend, "carol", "carolpw")).toEqual([
      `cn=cn=pushers\\,ou=groups\\,dc=example\\,dc=org,${groupBase}`,
      `cn=pushers,ou=elsewhere,${base}`,
    ]);
    expect(lines).toMatchObject([
      { level: "warn", fields: { backend: "ldap" }, message: expect.stringMatching(/^groups\.searchBase: .*by DN/) },
    ]);
  });

  it("of the same name in different units are told apart by DN alone", async () => {
    const { backend } = await openBackend({ ...plain, groups: { searchBase: base } });
    expect(await groupsOf(backend, "carol", "carolpw")).toEqual([
      `cn=cn=pushers\\,ou=groups\\,dc=example\\,dc=org,${groupBase}`,
      `cn=pushers,ou=elsewhere,${base}`,
    ]);
    // Where there is one alone of a name, the name counts at any depth.
    expect(await groupsOf(backend, "alice", "alicepw")).toContain("developers");
  });

  it("cannot be required by a short name without a base, by whomever it is borne", async () => {
    const { groups: _, ...everywhere } = plain;
    const byName = await openBackend({ ...everywhere, requiredGroup: "pushers" });
    expect(await outcomeOf(signIn(byName.backend, "carol", "carolpw"))).toBe("rejected: is not in the required group");
    expect(byName.lines.map(({ message }) => message.split(":", 1)[0])).toEqual(["groups.searchBase", "requiredGroup"]);
    const byDN = await openBackend({ ...everywhere, requiredGroup: `CN=pushers, OU=elsewhere,${base}` });
    expect(await outcomeOf(signIn(byDN.backend, "carol", "carolpw"))).toBe("authenticated");
    const ambiguous = await openBackend({ ...plain, groups: { searchBase: base }, requiredGroup: "pushers" });
    expect(await outcomeOf(signIn(ambiguous.backend, "carol", "carolpw"))).toBe(
      "rejected: is not in the required group",
    );
  });

  it("can be required, by name or by any spelling of the DN", async () => {
    const groups = { searchBase: groupBase, searchFilter: "(member={{dn}})", nested: true };
    for (const requiredGroup of ["pushers", `cn=pushers,${groupBase}`, "CN=Pushers, OU=Groups, DC=example, DC=org"]) {
      const { backend } = await openBackend({ ...plain, groups, requiredGroup });
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
      expect(await outcomeOf(signIn(backend, "carol", "carolpw"))).toBe("rejected: is not in the required group");
      expect(await outcomeOf(signIn(backend, "alice", "x"))).toBe("rejected: wrong password");
    }
    const other = await openBackend({ ...plain, groups, requiredGroup: `cn=pushers,ou=elsewhere,${base}` });
    expect(await outcomeOf(signIn(other.backend, "alice", "alicepw"))).toBe("rejected: is not in the required group");
  });

  it("are called by the attribute that is wished", async () => {
    const { backend } = await openBackend({
      ...plain,
      groups: { searchBase: groupBase, searchFilter: "(memberUid={{username}})", nameAttribute: "gidNumber" },
    });
    expect(await groupsOf(backend, "alice", "alicepw")).toEqual(["2001", `cn=posix,${groupBase}`]);
  });

  it("that the server does not give in full are no groups at all", async () => {
    const limited = await startSlapd({ global: ["sizelimit 1"] });
    try {
      const { backend } = await openBackend({
        ...plain,
        urls: [limited.tlsUrl],
        caCert: limited.authority,
        groups: { searchBase: groupBase, searchFilter: "(member={{dn}})" },
      });
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: .*size limit exceeded/);
      const several = await openBackend({
        ...plain,
        urls: [limited.tlsUrl],
        caCert: limited.authority,
        searchFilter: "(mail={{username}})",
      });
      // One of two was given: it must not pass for the only one.
      expect(await outcomeOf(signIn(several.backend, "twin@example.org", "twin1pw"))).toMatch(
        /^unavailable: .*size limit exceeded/,
      );
    } finally {
      await limited.close();
    }
  });
});

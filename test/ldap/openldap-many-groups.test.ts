import type { LdapOptions } from "@registry-gate/auth-ldap";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { groupsOf, openBackend, outcomeOf, signIn } from "./login.ts";
import { base, count, groupBase, openldap } from "./openldap.ts";

const many = 2000;
const numbers = Array.from({ length: many }, (_, index) => String(index).padStart(4, "0"));

/** Half of the groups stand in a unit of their own. */
const placeOf = (number: string): string => (Number(number) % 2 === 0 ? groupBase : `ou=unit,${groupBase}`);

/** Groups whose names are not in their DNs: alice is in all of them. */
const manyGroups = [
  `dn: ou=unit,${groupBase}\nobjectClass: organizationalUnit\nou: unit\n`,
  ...numbers.map((number) =>
    [
      `dn: o=g${number},${placeOf(number)}`,
      "objectClass: groupOfNames",
      `o: g${number}`,
      `cn: team ${number}`,
      `member: uid=alice,ou=people,${base}`,
      "",
    ].join("\n"),
  ),
].join("\n");

let slapd: Slapd;
let plain: LdapOptions;
beforeAll(async () => {
  slapd = await startSlapd({ global: ["sizelimit 5000"], database: ["index o,cn eq"] });
  await slapd.modify(manyGroups);
  plain = { ...openldap(slapd), timeout: "20s" };
});
afterAll(() => slapd?.close());

/** What a login finds, and how many searches it costs. */
async function login(options: LdapOptions): Promise<{ readonly names: readonly string[]; readonly searches: number }> {
  const { backend } = await openBackend(options);
  await outcomeOf(signIn(backend, "carol", "carolpw"));
  let groups: readonly string[] = [];
  const said = await slapd.logOf(async () => {
    groups = await groupsOf(backend, "alice", "alicepw");
  });
  return { names: groups.filter((name) => name.startsWith("team ")), searches: count(said, / SRCH base=/g) };
}

describe("a login with 2,000 groups", () => {
  it.each<[string, LdapOptions["groups"], number]>([
    // The user; the names, 200 at a time; and whether others have the same ones.
    ["memberOf", { searchBase: groupBase }, 1 + 11 + 11],
    // The user; the groups with their names; and whether others have the same ones.
    ["a filter", { searchBase: groupBase, searchFilter: "(member={{dn}})" }, 2 + 11],
    // Besides, what these are in.
    ["memberOf, nested", { searchBase: groupBase, nested: true }, 1 + 11 + 11 + 2 + 11],
    ["a filter, nested", { searchBase: groupBase, searchFilter: "(member={{dn}})", nested: true }, 2 + 11 + 2 + 11],
  ])("whose names are not in their DNs, by %s, costs few searches", async (_, groups, most) => {
    const { names, searches } = await login({ ...plain, ...(groups !== undefined && { groups }) });
    expect(names).toEqual(numbers.map((number) => `team ${number}`));
    expect(searches).toBeLessThanOrEqual(most);
  });

  it("costs a search alone where no group can have a short name", async () => {
    const { groups: _, ...everywhere } = plain;
    expect(await login(everywhere)).toEqual({ names: [], searches: 1 });
  });

  it("costs few searches where the server gives fewer entries at once than the filter asks for", async () => {
    const limited = await startSlapd({ global: ["sizelimit 50"], database: ["index o,cn eq"] });
    try {
      await limited.modify(manyGroups);
      const { backend } = await openBackend({ ...plain, urls: [limited.tlsUrl], caCert: limited.authority });
      const said = await limited.logOf(async () => {
        const groups = await groupsOf(backend, "alice", "alicepw");
        expect(groups.filter((name) => name.startsWith("team "))).toHaveLength(many);
      });
      expect(count(said, / SRCH base=/g)).toBeLessThanOrEqual(100);
    } finally {
      await limited.close();
    }
  });
});

import { canonicalDN, parseDN } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isIn } from "../src/authenticate.ts";
import type { Group } from "../src/groups/group.ts";
import { groupsOf } from "../src/groups/groups-of.ts";
import type { GroupOptions, LdapOptions } from "../src/options.ts";
import { resolveOptions } from "../src/resolve-options.ts";
import { readUser } from "../src/user/find-user.ts";
import { scriptedDirectory, type Tree } from "./scripted-directory.ts";
import type { ScriptedSession } from "./scripted-session.ts";

const { signal } = new AbortController();
const domain = "dc=example,dc=org";
const base = `ou=groups,${domain}`;
const user = `uid=mallory,ou=people,${domain}`;

/** The groups of the user in a directory of these groups, each with the attributes that its DN does not show. */
async function groupsIn(
  directory: ScriptedSession,
  groups: GroupOptions = {},
  options: Partial<LdapOptions> = {},
): Promise<readonly Group[]> {
  const settings = resolveOptions({ urls: ["ldaps://x"], searchBase: domain, ...options, groups });
  const finding = await readUser(
    directory,
    user,
    "mallory",
    { ...settings.user, usernameAttribute: "uid" },
    ["memberOf"],
    signal,
  );
  if (finding.user === undefined) throw new Error(finding.reason);
  return groupsOf(directory, finding.user, settings.groups, signal);
}

/** What a group is called by, under its DN. */
function namesOf(groups: readonly Group[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(groups.map(({ canonicalDN, names }) => [canonicalDN, names]));
}

/** A directory in which the user is in some groups, and others exist. */
function directoryOf(
  memberOf: readonly string[],
  others: readonly string[] = [],
  attributes: Tree = {},
  settings: Parameters<typeof scriptedDirectory>[1] = {},
): ScriptedSession {
  const inRDN = (dn: string): [string, string[]][] =>
    (parseDN(dn)?.[0] ?? []).map(({ type, value }) => [type, [value]] as [string, string[]]);
  const groups = [...memberOf, ...others].map((dn) => {
    const all = new Map([...inRDN(dn), ["member", memberOf.includes(dn) ? [user] : []]]);
    for (const [name, values] of Object.entries(attributes[dn] ?? {})) {
      all.set(name, [...(all.get(name) ?? []), ...values]);
    }
    return [dn, Object.fromEntries(all)];
  });
  const mallory = { uid: ["mallory"], memberOf, objectClass: ["person"] };
  return scriptedDirectory(Object.fromEntries([[user, mallory], ...groups]), settings);
}

/** Every way by which groups are found, below a base. */
const ways: readonly (readonly [string, GroupOptions])[] = [
  ["memberOf", { searchBase: base }],
  ["memberOf, nested", { searchBase: base, nested: true }],
  ["a filter", { searchBase: base, searchFilter: "(member={{dn}})" }],
  ["a filter, nested", { searchBase: base, searchFilter: "(member={{dn}})", nested: true }],
];

describe("a short name without a base", () => {
  it("is no group's, wherever the group is", async () => {
    const groups = await groupsIn(directoryOf([`cn=admins,${base}`, `cn=admins,ou=projects,${domain}`]));
    expect(groups.map(({ canonicalDN }) => canonicalDN)).toHaveLength(2);
    expect(groups.flatMap(({ names }) => names)).toEqual([]);
    expect(isIn(groups, "admins")).toBe(false);
    expect(isIn(groups, `CN=Admins, ou=groups,${domain}`)).toBe(true);
    // A rule that denies may mean either.
    expect(groups.map(({ ambiguousNames }) => ambiguousNames)).toEqual([["admins"], ["admins"]]);
  });

  it("costs no search for what groups would be called", async () => {
    const directory = directoryOf([`uid=g1,${base}`], [], { [`uid=g1,${base}`]: { cn: ["admins"] } });
    await groupsIn(directory);
    expect(directory.searches).toHaveLength(1);
  });
});

describe.each(ways)("a short name of a group found by %s", (_, options) => {
  it("is the one in its DN directly below the base, at no further cost", async () => {
    const directory = directoryOf([`cn=Admins,${base}`], [], { [`cn=Admins,${base}`]: { cn: ["pushers"] } });
    expect(namesOf(await groupsIn(directory, options))).toEqual({ [`cn=admins,${base}`]: ["Admins"] });
    expect(directory.searches.filter(({ filter }) => JSON.stringify(filter).includes('Admins"}'))).toEqual([]);
  });

  it("is nobody's elsewhere, nor is the group one", async () => {
    const directory = directoryOf([`cn=admins,ou=projects,${domain}`, `cn=admins,ou=groups,ou=x,${domain}`]);
    expect(await groupsIn(directory, options)).toEqual([]);
  });

  it("is that of a deeper group which alone has it", async () => {
    const deep = `cn=team,ou=unit,${base}`;
    expect(namesOf(await groupsIn(directoryOf([deep]), options))).toEqual({ [deep]: ["team"] });
  });

  it.each([
    ["directly below the base", `cn=admins,${base}`],
    ["in another unit", `cn=Admins,ou=other,${base}`],
    ["of the base itself, whatever it is", `cn=ADMINS+o=x,${base}`],
  ])("is not that of a deeper group where an entry %s has it too", async (_, other) => {
    const deep = `cn=admins,ou=projects,${base}`;
    const groups = await groupsIn(directoryOf([deep], [other]), options);
    expect(groups).toEqual([{ canonicalDN: deep, names: [], ambiguousNames: ["admins"] }]);
    expect(isIn(groups, "admins")).toBe(false);
  });

  it("stays with the group directly below the base, whoever makes one of that name deeper", async () => {
    const top = `cn=admins,${base}`;
    const deep = `cn=admins,ou=projects,${base}`;
    expect(namesOf(await groupsIn(directoryOf([top], [deep]), options))).toEqual({ [top]: ["admins"] });
    expect(namesOf(await groupsIn(directoryOf([top, deep]), options))).toEqual({ [top]: ["admins"], [deep]: [] });
  });

  it("is nobody's where the user is in two deeper groups of the name", async () => {
    const [one, two] = [`cn=team,ou=a,${base}`, `cn=Team,ou=b,${base}`];
    const directory = directoryOf([one, two]);
    expect((await groupsIn(directory, options)).flatMap(({ names }) => names)).toEqual([]);
    // That is known without asking.
    expect(directory.searches.filter(({ filter }) => JSON.stringify(filter).includes('"value":"team"'))).toEqual([]);
  });

  it("does not come from a second value in the DN, nor from another attribute, where a group has it", async () => {
    const top = `cn=admins,${base}`;
    const pair = `cn=admins+o=mine,${base}`;
    const other = `uid=mine,${base}`;
    const directory = directoryOf([pair, other], [top], { [other]: { cn: ["admins", "mine"] } });
    const names = namesOf(await groupsIn(directory, options));
    expect(names).toEqual({ [pair]: [], [other]: ["mine"] });
  });

  it("is not what reads as a DN", async () => {
    const dn = `cn=cn\\=pushers\\,dc\\=x,${base}`;
    expect((await groupsIn(directoryOf([dn]), options)).flatMap(({ names }) => names)).toEqual([]);
  });

  it("is not what no group is called: nothing, a kilobyte, or a tower of marks", async () => {
    const dn = `uid=skipped,${base}`;
    const skipped = { [dn]: { cn: ["", "x".repeat(1025), `a${"\u0301".repeat(31)}`] } };
    expect((await groupsIn(directoryOf([dn], [], skipped), options)).flatMap(({ names }) => names)).toEqual([]);
  });

  it("is that of a group directly below the base alone, with scope one, and deeper groups are none", async () => {
    const directory = directoryOf([`cn=a,${base}`, `cn=b,ou=unit,${base}`]);
    expect(namesOf(await groupsIn(directory, { ...options, searchScope: "one" }))).toEqual({
      [`cn=a,${base}`]: ["a"],
    });
  });
});

describe("the search for groups of the same name", () => {
  const deep = (count: number, unit: (index: number) => string = () => "unit"): string[] =>
    Array.from({ length: count }, (_, index) => `cn=g${index},ou=${unit(index)},${base}`);

  it("asks for many names at once", async () => {
    const directory = directoryOf(deep(2000));
    const groups = await groupsIn(directory, { searchBase: base });
    expect(groups.every(({ names }) => names.length === 1)).toBe(true);
    expect(directory.searches).toHaveLength(1 + 10);
  });

  it("decides about every name where the server has more entries of these names than it gives", async () => {
    const mine = [`cn=developers,ou=p0,${base}`, ...deep(50)];
    const others = Array.from({ length: 600 }, (_, index) => `cn=developers,ou=p${index + 1},${base}`);
    for (const sizeLimit of [2, 100, 500, 1000]) {
      const directory = directoryOf(mine, others, {}, { sizeLimit });
      const names = namesOf(await groupsIn(directory, { searchBase: base }));
      expect(names[mine[0] ?? ""]).toEqual([]);
      expect(Object.values(names).flat()).toHaveLength(50);
      expect(directory.searches.length).toBeLessThanOrEqual(100);
    }
  });

  it("gives nobody a name where the group itself is not seen: others may not be either", async () => {
    const hidden = `cn=team,ou=hidden,${base}`;
    const directory = scriptedDirectory({ [user]: { uid: ["mallory"], memberOf: [hidden], objectClass: ["person"] } });
    expect(namesOf(await groupsIn(directory, { searchBase: base }))).toEqual({ [hidden]: [] });
  });

  it("takes an entry for one of the same name where the entry does not show what it is called", async () => {
    const mine = deep(3);
    const other = `cn=g1,ou=secret,${base}`;
    const directory = directoryOf(mine, [other], {}, { hidden: (dn) => dn === other });
    const names = namesOf(await groupsIn(directory, { searchBase: base }));
    expect(names).toEqual({ [mine[0] ?? ""]: ["g0"], [mine[1] ?? ""]: [], [mine[2] ?? ""]: ["g2"] });
  });

  it("is not made where the user reads groups as nobody else does: deeper ones have no names", async () => {
    const directory = directoryOf([`cn=a,${base}`, `cn=b,ou=unit,${base}`, `uid=c,${base}`]);
    const settings = resolveOptions({
      urls: ["ldaps://x"],
      userDNTemplate: `uid={{username}},ou=people,${domain}`,
      groups: { searchBase: base },
    });
    const finding = await readUser(directory, user, "mallory", settings.user, ["memberOf"], signal);
    if (finding.user === undefined) throw new Error(finding.reason);
    const groups = await groupsOf(directory, finding.user, settings.groups, signal);
    expect(namesOf(groups)).toEqual({ [`cn=a,${base}`]: ["a"], [`cn=b,ou=unit,${base}`]: [], [`uid=c,${base}`]: [] });
    expect(directory.searches).toHaveLength(1);
  });

  it.each([1, 3, 12, 50, 80])("that ends with the result %d is never taken for no such group", async (code) => {
    const directory = directoryOf([`cn=team,ou=unit,${base}`], [], {}, { code: () => code });
    await expect(groupsIn(directory, { searchBase: base })).rejects.toMatchObject({ kind: "result", code });
  });

  it("grants a name only where it can be meant for nobody else, in any tree", async () => {
    const name = fc.constantFrom("admins", "Admins", "team", "x");
    const place = fc.constantFrom("", "ou=a,", "ou=b,", "ou=c,ou=a,");
    const rdn = fc.oneof(
      name.map((value) => ({ rdn: `cn=${value}`, cn: [] as string[] })),
      fc.tuple(name, fc.constantFrom("1", "2")).map(([value, o]) => ({ rdn: `cn=${value}+o=${o}`, cn: [] })),
      fc.tuple(fc.constantFrom("u", "v"), name).map(([uid, value]) => ({ rdn: `uid=${uid}`, cn: [value] })),
    );
    const group = fc.record({ rdn, place, mine: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(group, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 2, max: 20 }),
        async (drawn, sizeLimit) => {
          const distinct = new Map(
            drawn.map((one) => {
              const dn = `${one.rdn.rdn},${one.place}${base}`;
              return [canonicalDN(dn) ?? "", { ...one, dn }] as const;
            }),
          );
          const all = [...distinct.values()];
          const mine = all.filter((one) => one.mine);
          const attributes = Object.fromEntries(all.map(({ dn, rdn: { cn } }) => [dn, { cn }]));
          const others = all.filter((one) => !one.mine).map(({ dn }) => dn);
          const directory = directoryOf(
            mine.map(({ dn }) => dn),
            others,
            attributes,
            { sizeLimit },
          );
          const granted = await groupsIn(directory, { searchBase: base });
          const bears = ({ dn, rdn: { cn } }: (typeof all)[number], wanted: string): boolean =>
            [...(parseDN(dn)?.[0] ?? []).flatMap(({ type, value }) => (type === "cn" ? [value] : [])), ...cn].some(
              (value) => value.toLowerCase() === wanted.toLowerCase(),
            );
          const isTop = ({ rdn: { rdn }, place }: (typeof all)[number]): boolean =>
            place === "" && /^cn=\w+$/.test(rdn);
          for (const one of mine) {
            const names = granted.find(({ canonicalDN: dn }) => dn === canonicalDN(one.dn))?.names ?? [];
            for (const value of ["admins", "team", "x"].filter((known) => bears(one, known))) {
              const rivals = all.filter((other) => other.dn !== one.dn && bears(other, value));
              const expected = isTop(one) || rivals.length === 0;
              expect(names.some((held) => held.toLowerCase() === value)).toBe(expected);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("names that are not in the DN", () => {
  const many = Array.from({ length: 2000 }, (_, index) => `uid=g${index},${base}`);
  const called = Object.fromEntries(many.map((dn, index) => [dn, { cn: [`name${index}`] }]));

  it("are read for 2,000 groups in a few searches", async () => {
    const directory = directoryOf(many, [], called);
    const groups = await groupsIn(directory, { searchBase: base });
    expect(groups.flatMap(({ names }) => names)).toHaveLength(2000);
    // The user, the names, and whether others have them.
    expect(directory.searches).toHaveLength(1 + 10 + 10);
  });

  it("are read one by one where the server does not search for them", async () => {
    const directory = directoryOf(many.slice(0, 5), [], called, {
      code: ({ filter }) => (JSON.stringify(filter).includes("uid") ? 53 : 0),
    });
    expect((await groupsIn(directory, { searchBase: base })).flatMap(({ names }) => names)).toHaveLength(5);
  });

  it("are none for a group that has gone", async () => {
    const directory = scriptedDirectory({
      [user]: { uid: ["mallory"], memberOf: [`uid=gone,${base}`], objectClass: ["person"] },
    });
    expect(namesOf(await groupsIn(directory, { searchBase: base }))).toEqual({ [`uid=gone,${base}`]: [] });
  });

  it("are not those of another entry with the same RDN", async () => {
    const mine = `uid=g,ou=a,${base}`;
    const other = `uid=g,ou=b,${base}`;
    const directory = directoryOf([mine], [other], { [mine]: { cn: ["mine"] }, [other]: { cn: ["admins"] } });
    expect(namesOf(await groupsIn(directory, { searchBase: base }))).toEqual({ [mine]: ["mine"] });
  });
});

describe("a short name in Active Directory", () => {
  const corp = "dc=corp,dc=example,dc=org";
  const dn = (rest: string): string => `${rest},${corp}`;
  const active: Partial<LdapOptions> = { activeDirectory: true, searchBase: corp };
  const byMemberOf: GroupOptions = { memberOfAttribute: "memberOf", nested: false };

  it("is the account name, whatever the cn is", async () => {
    const admins = dn("CN=admins,OU=projects");
    const directory = directoryOf([admins], [], { [admins]: { sAMAccountName: ["proj-admins"] } });
    const groups = await groupsIn(directory, byMemberOf, active);
    expect(groups.flatMap(({ names }) => names)).toEqual(["proj-admins"]);
    expect(isIn(groups, "admins")).toBe(false);
  });

  it("is nobody's in another domain of the forest", async () => {
    const child = `CN=admins,OU=groups,DC=eu,${corp}`;
    const directory = directoryOf([child], [], { [child]: { sAMAccountName: ["admins"] } });
    const groups = await groupsIn(directory, byMemberOf, active);
    expect(groups.map(({ names }) => names)).toEqual([[]]);
  });

  it("by cn follows the same rules as anywhere else", async () => {
    const [top, deep] = [dn("CN=admins,OU=groups"), dn("CN=admins,OU=projects,OU=groups")];
    const directory = directoryOf([deep], [top]);
    const groups = { ...byMemberOf, nameAttribute: "cn" };
    expect((await groupsIn(directory, groups, active)).flatMap(({ names }) => names)).toEqual([]);
    const searchBase = dn("OU=groups");
    expect((await groupsIn(directory, { ...groups, searchBase }, active)).flatMap(({ names }) => names)).toEqual([]);
  });
});

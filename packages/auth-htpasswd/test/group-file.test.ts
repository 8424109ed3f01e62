import { InvalidFileError } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseGroupFile } from "../src/group-file.ts";

const parse = (text: string | Uint8Array) => parseGroupFile(Buffer.from(text));

test("a user is in every group that names it, and lines for one group add up", () => {
  const { groupsOf, faults } = parse(
    "\uFEFF# groups\r\npushers: testuser  alice\r\n\r\nadmins:alice\npushers: bob\nempty:\n pushers : alice dave",
  );
  expect(faults).toEqual([]);
  expect(Object.fromEntries(groupsOf)).toEqual({
    testuser: ["pushers"],
    alice: ["pushers", "admins"],
    bob: ["pushers"],
    dave: ["pushers"],
  });
});

test("names in quotes may have white space in them", () => {
  const { groupsOf } = parse(`team: "Ann Lee" 'Bo "B" Fox' "a\\"b" o'hara`);
  expect([...groupsOf.keys()]).toEqual(["Ann Lee", 'Bo "B" Fox', 'a"b', "o'hara"]);
});

test("names are compared in Normalization Form C", () => {
  expect(parse("caf\u0065\u0301: zo\u0065\u0301").groupsOf.get("zo\u00e9")).toEqual(["caf\u00e9"]);
});

test("logs unusable lines by number", () => {
  const file = parse(Buffer.concat([Buffer.from('ok: a\nno colon\n: b\nopen: "c\n'), Buffer.from([0xff, 0x3a])]));
  expect([...file.groupsOf.keys()]).toEqual(["a"]);
  expect(file.faults.map((fault) => fault.line)).toEqual([2, 3, 4, 5]);
});

test("logs a line of /etc/group, which counts only for deny rules", () => {
  const { groupsOf, possibleGroupsOf, names, faults } = parse(
    "leavers:x:1001:alice,bob\nempty::1002:\nok: carol x:1:a,b\n",
  );
  expect(Object.fromEntries(groupsOf)).toEqual({ carol: ["ok"], "x:1:a,b": ["ok"] });
  expect(possibleGroupsOf.get("alice")).toEqual(["leavers"]);
  expect(possibleGroupsOf.get("bob")).toEqual(["leavers"]);
  expect([...names]).toEqual(["ok"]);
  expect(faults).toEqual([
    { line: 1, message: "this is a line of /etc/group: write group: user user" },
    { line: 2, message: "this is a line of /etc/group: write group: user user" },
  ]);
});

test("users between commas are one name, and each of them for rules that deny", () => {
  const { groupsOf, possibleGroupsOf } = parse("leavers: alice, bob,carol dave\n");
  expect([...groupsOf.keys()]).toEqual(["alice,", "bob,carol", "dave"]);
  expect([...possibleGroupsOf.keys()]).toEqual(["alice", "bob", "carol"]);
});

test.each([
  [
    "a quote that is not closed",
    'leavers: alice "bob carol',
    ["alice", "bob", "carol"],
    ["leavers"],
    "a quote is not closed",
  ],
  [
    "an invisible character in the name",
    "lea\u200bvers: alice",
    ["alice"],
    ["lea\u200bvers", "leavers"],
    "the name of the group holds an invisible character",
  ],
  [
    "a soft hyphen in the name",
    "lea\u00advers: alice",
    ["alice"],
    ["lea\u00advers", "leavers"],
    "the name of the group holds an invisible character",
  ],
  [
    "a control in the name",
    "lea\u0007vers: alice",
    ["alice"],
    ["lea\u0007vers", "leavers"],
    "the name of the group holds a control character",
  ],
])("a group with %s locks nobody out, and is meant by rules that deny", (_, line, users, meant, message) => {
  const { groupsOf, possibleGroupsOf, faults } = parse(`pushers: alice\n${line}\n`);
  expect(Object.fromEntries(groupsOf)).toEqual({ alice: ["pushers"] });
  expect([...possibleGroupsOf]).toEqual(users.map((user) => [user, meant]));
  expect(faults).toEqual([{ line: 2, message }]);
});

test("each member is known by its line", () => {
  expect(parse("a: x y\n\nb: x\n").members).toEqual([
    { line: 1, user: "x" },
    { line: 1, user: "y" },
    { line: 3, user: "x" },
  ]);
});

test("a file that is wholly something else is refused, and an empty one is not", () => {
  expect(() => parse("a: \0")).toThrow(InvalidFileError);
  expect(() => parse("not a group file\n")).toThrow(InvalidFileError);
  expect(parse("\n").groupsOf.size).toBe(0);
});

test("no file makes the parser throw anything else", () => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(fc.constantFrom("g", ":", " ", "u", '"', "'", "\\", "\n", "é", "#"))
      .map((parts) => Buffer.from(parts.join(""))),
  );
  fc.assert(
    fc.property(content, (bytes) => {
      try {
        parse(bytes);
      } catch (error) {
        if (!(error instanceof InvalidFileError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

test("whatever groups are written to a file, the same are read from it", () => {
  const name = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
    .map((text) => text.normalize("NFC"))
    .filter((text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}:]|^[#\s]|\s$/u.test(text));
  const groups = fc.uniqueArray(fc.tuple(name, fc.uniqueArray(name, { maxLength: 6 })), {
    selector: ([group]) => group,
    maxLength: 8,
  });
  const quoted = (user: string): string => `"${user.replace(/["\\]/g, "\\$&")}"`;
  fc.assert(
    fc.property(groups, (entries) => {
      const { groupsOf, faults } = parse(
        entries.map(([group, users]) => `${group}: ${users.map(quoted).join(" ")}`).join("\n"),
      );
      expect(faults).toEqual([]);
      const expected = new Map<string, string[]>();
      for (const [group, users] of entries) {
        for (const user of users) expected.set(user, [...(expected.get(user) ?? []), group]);
      }
      expect(groupsOf).toEqual(expected);
    }),
  );
});

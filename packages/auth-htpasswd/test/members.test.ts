import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { cheapEntry, open, signIn, until } from "./fixtures.ts";

const ALICE = cheapEntry("alice", "secret");
const BOB = cheapEntry("bob", "secret");

test("warns by line of members who are in no password file, and of commas", async () => {
  const groups = "# groups\npushers: alice bob carol\nreaders: alice, bob,alice\nall: a b c d e f g\nadmins: alice\n";
  const { lines, groupFile } = await open(ALICE, { groups });
  expect(lines).toEqual([
    { level: "warn", fields: { file: groupFile, line: 2 }, message: "not in the password file: bob carol" },
    {
      level: "warn",
      fields: { file: groupFile, line: 3 },
      message: "alice, bob,alice: write blanks between users, and no commas",
    },
    { level: "warn", fields: { file: groupFile, line: 4 }, message: "not in the password file: a b c d e and 2 more" },
  ]);
});

test("warns anew only of what has changed, in either file", async () => {
  const { backend, file, groupFile, lines } = await open(ALICE, { groups: "pushers: alice bob\n" });
  const warnings = (): unknown[] => lines.filter(({ level }) => level === "warn").map(({ message }) => message);
  expect(warnings()).toEqual(["not in the password file: bob"]);
  await writeFile(file, `${ALICE}\n${BOB}\n`);
  await until(async () => expect(await signIn(backend, "bob", "secret")).toMatchObject({ status: "authenticated" }));
  await writeFile(groupFile, "pushers: alice bob\nadmins: dave\n");
  await until(() => expect(warnings()).toEqual(["not in the password file: bob", "not in the password file: dave"]));
  await writeFile(file, ALICE);
  await until(() => expect(warnings()).toHaveLength(3));
  expect(warnings().at(-1)).toBe("not in the password file: bob");
});

test("logs a hundred of a thousand lines with unknown members", async () => {
  const groups = Array.from({ length: 1000 }, (_, index) => `g${index}: stranger\n`).join("");
  const { lines } = await open(ALICE, { groups });
  expect(lines).toHaveLength(101);
  expect(lines.at(-1)).toMatchObject({ fields: { entries: 900 } });
});

test("a user whose entry is locked is no stranger", async () => {
  const { lines } = await open(`${ALICE}\nbob:!\n`, { groups: "pushers: alice bob\n" });
  expect(lines.map(({ message }) => message)).toEqual(["entry ignored: the entry is locked"]);
});

test("the roster has all users and groups of the files, and what a user would be", async () => {
  const { backend } = await open(`${ALICE}\nbob:!\nzo\u0065\u0301:!\n`, {
    groups: "pushers: alice zo\u00e9\nempty:\nodd: alice,bob\n",
  });
  const roster = backend.roster?.();
  expect([...(roster?.users ?? [])]).toEqual(["alice", "bob", "zo\u00e9"]);
  expect([...(roster?.groups ?? [])]).toEqual(["pushers", "empty", "odd"]);
  expect(roster?.identityOf("alice")).toEqual({
    subject: "alice",
    username: "alice",
    groups: ["pushers"],
    ambiguousGroups: ["odd"],
    backend: "users",
  });
  expect(roster?.identityOf("zo\u0065\u0301")).toMatchObject({ username: "zo\u00e9", groups: ["pushers"] });
  expect(roster?.identityOf("Alice")).toBeUndefined();
  const { backend: alone } = await open(ALICE);
  expect(alone.roster?.().groups.size).toBe(0);
});

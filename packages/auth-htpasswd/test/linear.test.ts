import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { htpasswdBackend } from "@registry-gate/auth-htpasswd";
import { expect, it } from "vitest";
import { recordingLog } from "../../../test/support/recording-log.ts";
import { editEntry } from "../src/edit-entry.ts";
import { parseGroupFile } from "../src/group-file.ts";
import { parseUserFile } from "../src/user-file.ts";
import { cheapEntry, scratchDirectory } from "./fixtures.ts";

/** What takes the square of the length takes minutes with this many characters, and what does not some milliseconds. */
const MANY = 300_000;
const many = (text: string): string => text.repeat(Math.ceil(MANY / text.length));
const marks = `a${many("\u0345\u0334")}`;
const alice = cheapEntry("alice", "secret");

it.each([
  ["blanks in front", `${many(" ")}x`],
  ["blanks within", `x${many(" ")}y:z`],
  ["tabs and blanks within", `x${many(" \t\v\f\r")}y`],
  ["blanks before the hash", `x:${many(" ")}y`],
  ["blanks at the end", `x:y${many(" ")}`],
  ["colons", many(":")],
  ["a long name", `${many("x")}:y`],
  ["marks in a row in a name", `${marks}:y`],
  ["marks in a row in a password", `x:{PLAIN}${marks}`],
  ["a hash that does not end", `x:{SSHA}${many("A")}!`],
  ["a salt that does not end", `x:$6$rounds=${many("1")}`],
  ["dollars", `x:${many("$")}`],
  ["braces", `x:${many("{a}")}`],
])("reads a password file in linear time that has %s", (_, line) => {
  for (const allowPlaintext of [false, true]) {
    const file = parseUserFile(Buffer.from(`${alice}\n${line}\n`), allowPlaintext);
    expect(file.hashes.has("alice")).toBe(true);
    expect(file.faults.length + file.weak.plain.length).toBeLessThanOrEqual(1);
  }
});

it.each([
  ["blanks in front", `${many(" ")}x: y`],
  ["blanks in the name of a group", `x${many(" ")}y: z`],
  ["blanks between users", `x: y${many(" ")}z`],
  ["users", `x: ${many("y ")}`],
  ["quotes", `x: ${many("''")}`],
  ["quotes that are not closed", `x: ${many(`"'`)}`],
  ["a quote that is not closed", `x: "${many("y ")}`],
  ["backslashes in a quote", `x: "${many("\\\\")}"`],
  ["backslashes in a quote that is not closed", `x: "${many("\\")}`],
  ["a long name", `x: ${many("y")}`],
  ["marks in a row in the name of a group", `${marks}: y`],
  ["marks in a row in the name of a user", `x: ${marks}`],
])("reads a group file in linear time that has %s", (_, line) => {
  const file = parseGroupFile(Buffer.from(`pushers: alice\n${line}\n`));
  expect(file.groupsOf.get("alice")).toEqual(["pushers"]);
  expect(file.faults.length).toBeLessThanOrEqual(1);
});

it("changes an entry in linear time, whatever stands in the lines before it", () => {
  const before = `x${many(" ")}y:z\n${marks}:y\n`;
  const { content, outcome } = editEntry(Buffer.from(`${before}alice:old\n`), "alice", "new");
  expect(outcome).toBe("updated");
  expect(content.toString()).toBe(`${before}alice:new\n`);
});

it("reads many lines, and tells of the first hundred that it cannot use, and how many more there are", async () => {
  const directory = await scratchDirectory();
  await writeFile(join(directory, "users"), `${alice}\n${"nobody\n".repeat(MANY)}`);
  await writeFile(join(directory, "groups"), `pushers: alice\n${"nobody\n".repeat(MANY)}`);
  const { log, lines } = recordingLog();
  const backend = await htpasswdBackend({ file: "users", groupFile: "groups" }, { baseDirectory: directory, log });
  await backend.close?.();
  expect(lines).toHaveLength(2 * 101);
  // The two files are read at the same time.
  const further = lines.filter(({ message }) => message === "more entries ignored").map(({ fields }) => fields);
  expect(further).toHaveLength(2);
  for (const name of ["users", "groups"]) {
    expect(further).toContainEqual({ file: join(directory, name), entries: MANY - 100 });
  }
});

it("names what is too long or has too many marks, and nothing of it", () => {
  const { faults } = parseUserFile(
    Buffer.from(`${alice}\n${"x".repeat(513)}:y\n${marks}:y\nbob:{PLAIN}${marks}\ncarol:{PLAIN}${"x".repeat(513)}`),
    true,
  );
  expect(faults).toEqual([
    { line: 2, message: "the name of the user is longer than 512 characters" },
    { line: 3, message: "the name of the user is longer than 512 characters" },
    { line: 4, message: "the password in plain text is too long, or has too many combining marks in a row" },
    { line: 5, message: "the password in plain text is too long, or has too many combining marks in a row" },
  ]);
  const groups = parseGroupFile(Buffer.from(`g: alice ${marks.slice(0, 100)} bob\n${marks.slice(0, 100)}: alice`));
  expect([...groups.groupsOf.keys()]).toEqual(["alice", "bob"]);
  expect(groups.faults).toEqual([
    { line: 1, message: "the name of a user holds more than 30 combining marks in a row" },
    { line: 2, message: "the name of the group holds more than 30 combining marks in a row" },
  ]);
});

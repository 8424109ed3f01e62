import { execFile } from "node:child_process";
import { chmod, chown, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { InvalidOptionsError } from "@registry-gate/auth";
import { SetPasswordError, setPassword } from "@registry-gate/auth-htpasswd";
import fc from "fast-check";
import { expect, test } from "vitest";
import { editEntry } from "../src/edit-entry.ts";
import { parseUserFile } from "../src/user-file.ts";
import { open, run, scratchDirectory, signIn, until } from "./fixtures.ts";

const CHEAP = { cost: 4 };

async function faultsOf(attempt: Promise<unknown>): Promise<readonly string[]> {
  const error = await attempt.catch((reason: unknown) => reason);
  if (!(error instanceof SetPasswordError)) throw new Error(`expected SetPasswordError, got ${String(error)}`);
  return error.faults.map((fault) => `${fault.path.join(".")} ${fault.message}`);
}

test("a new file is made for the first user, readable by the owner alone, and the real htpasswd agrees", async () => {
  const directory = await scratchDirectory();
  const file = join(directory, "users");
  expect(await setPassword(file, "alice", "pässwörd")).toBe("created");
  expect((await stat(file)).mode & 0o7777).toBe(0o600);
  expect(await readFile(file, "utf8")).toMatch(/^alice:\$2y\$10\$[./A-Za-z0-9]{53}\n$/);
  run("htpasswd", ["-vb", file, "alice", "pässwörd"]);
  expect(() => run("htpasswd", ["-vb", file, "alice", "password"])).toThrow();
  expect(await readdir(directory)).toEqual(["users"]);
});

test("an entry is updated where it stands, and every other byte is kept", async () => {
  const file = join(await scratchDirectory(), "users");
  const before = Buffer.concat([
    Buffer.from("\uFEFF# users\r\n\r\n#alice:old\r\n"),
    Buffer.from([0xff, 0xfe, 0x3a, 0x0a]),
    Buffer.from("bob:{SHA}x:extra\n alice:old:extra \r\nalice:duplicate\n\tcarol:y"),
  ]);
  await writeFile(file, before);
  expect(await setPassword(file, "alice", "secret", CHEAP)).toBe("updated");
  const after = (await readFile(file)).toString("latin1");
  expect(after.replace(/alice:\$2y\$04\$[./A-Za-z0-9]{53}/, " alice:old:extra ")).toBe(before.toString("latin1"));

  expect(await setPassword(file, "dave", "secret", CHEAP)).toBe("created");
  expect((await readFile(file)).toString("latin1").slice(after.length)).toMatch(/^\ndave:\$2y\$04\$\S{53}\n$/);
});

test("mode and owner are kept", async () => {
  const file = join(await scratchDirectory(), "users");
  await writeFile(file, "bob:x\n");
  await chmod(file, 0o640);
  const superuser = process.getuid?.() === 0;
  if (superuser) await chown(file, 12_345, 54_321);
  const before = await stat(file);
  await setPassword(file, "alice", "secret", CHEAP);
  const after = await stat(file);
  expect(after.ino).not.toBe(before.ino);
  expect([after.mode, after.uid, after.gid]).toEqual([before.mode, before.uid, before.gid]);
});

test("of a symbolic link, the target is replaced", async () => {
  const directory = await scratchDirectory();
  await mkdir(join(directory, "elsewhere"));
  await writeFile(join(directory, "elsewhere", "users"), "bob:x\n");
  await symlink("elsewhere/users", join(directory, "link"));
  await setPassword(join(directory, "link"), "alice", "secret", CHEAP);
  expect(await readlink(join(directory, "link"))).toBe("elsewhere/users");
  expect(await readFile(join(directory, "elsewhere", "users"), "utf8")).toMatch(/^bob:x\nalice:\$2y/);
});

test("names and passwords that cannot work are refused before the file is touched", async () => {
  const file = join(await scratchDirectory(), "users");
  const cases: readonly (readonly [string, string, string])[] = [
    ["", "secret", "username is empty"],
    ["a:b", "secret", "username contains a colon"],
    ["a\nb", "secret", "username contains a control character"],
    ["#a", "secret", "username begins with #, like a comment"],
    ["robot$a", "secret", "username is reserved for robots"],
    [" a", "secret", "username begins or ends with white space"],
    ["\uFEFFa", "secret", "username begins or ends with white space"],
    ["a\ud800", "secret", "username is not well-formed Unicode"],
    ["a".repeat(256), "secret", "username is longer than 255 bytes"],
    ["alice", "", "password is empty"],
    ["alice", "a\0b", "password contains a control character"],
    ["alice", "line\n", "password contains a control character"],
    ["alice", "\udc00", "password is not well-formed Unicode"],
    ["alice", "é".repeat(37), "password is longer than 72 bytes, as UTF-8"],
  ];
  for (const [username, password, fault] of cases) {
    expect(await faultsOf(setPassword(file, username, password, CHEAP))).toEqual([fault]);
  }
  for (const cost of [3, 18, 4.5, Number.NaN]) {
    await expect(setPassword(file, "alice", "secret", { cost })).rejects.toEqual(
      new InvalidOptionsError([{ path: ["cost"], message: "must be a whole number from 4 to 17" }]),
    );
  }
  expect(await faultsOf(setPassword(file, "", ""))).toEqual(["username is empty", "password is empty"]);
  await expect(stat(file)).rejects.toMatchObject({ code: "ENOENT" });
  expect(await setPassword(file, "alice", "é".repeat(36), CHEAP)).toBe("created");
});

test("files that cannot be changed are named, and stay as they are", async () => {
  const directory = await scratchDirectory();
  const at = (name: string): string => join(directory, name);
  const attempt = (name: string): Promise<unknown> =>
    setPassword(at(name), "alice", "secret", { ...CHEAP, lockTimeout: 100 });
  await mkdir(at("directory"));
  await symlink("nowhere", at("dangling"));
  await writeFile(at("binary"), Buffer.from([0, 1]));
  await writeFile(at("prose"), "This is no password file.\n");
  await writeFile(at("locked"), "bob:x\n");
  await writeFile(at("locked.lock"), "");
  expect(await faultsOf(attempt("directory"))).toEqual([`file is a directory: ${at("directory")}`]);
  expect(await faultsOf(attempt("dangling"))).toEqual([`file is a dangling symbolic link: ${at("dangling")}`]);
  expect(await faultsOf(attempt("missing/users"))).toEqual([`file no such directory: ${at("missing")}`]);
  expect(await faultsOf(attempt("prose/users"))).toEqual([expect.stringContaining("is not a directory")]);
  expect(await faultsOf(attempt("binary"))).toEqual([expect.stringContaining("NUL bytes")]);
  expect(await faultsOf(attempt("prose"))).toEqual([expect.stringContaining("is not a password file")]);
  expect(await faultsOf(attempt("locked"))).toEqual([
    `file is being changed by another run; if there is none, remove ${at("locked.lock")}`,
  ]);
  expect(await readFile(at("prose"), "utf8")).toBe("This is no password file.\n");
  expect(await readFile(at("locked"), "utf8")).toBe("bob:x\n");
  expect((await readdir(directory)).sort()).toEqual([
    "binary",
    "dangling",
    "directory",
    "locked",
    "locked.lock",
    "prose",
  ]);
});

test("of many runs at once, in one process and in several, none loses an entry", async () => {
  const file = join(await scratchDirectory(), "users");
  const program = `
    import { SetPasswordError, setPassword } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
    const [file, prefix] = process.argv.slice(1);
    await Promise.all([1, 2, 3, 4].map((n) => setPassword(file, prefix + n, "secret", { cost: 4, lockTimeout: "60s" })));`;
  await Promise.all(
    ["a", "b", "c"].map((prefix) =>
      promisify(execFile)(process.execPath, [
        "--conditions=development",
        "--input-type=module",
        "--eval",
        program,
        file,
        prefix,
      ]),
    ),
  );
  const names = ["a", "b", "c"].flatMap((prefix) => [1, 2, 3, 4].map((n) => `${prefix}${n}`));
  const { hashes, faults } = parseUserFile(await readFile(file), false);
  expect([...hashes.keys()].sort()).toEqual(names);
  expect(faults).toEqual([]);
});

test("a running backend takes a new password over", async () => {
  const { backend, file } = await open("");
  await setPassword(file, "zo\u0065\u0301", "secret\u0065\u0301", CHEAP);
  await until(async () => expect((await signIn(backend, "zo\u00e9", "secret\u00e9")).status).toBe("authenticated"));
});

test("an edit of any file changes one entry, keeps the others and can be read back", () => {
  const name = fc.constantFrom("alice", "bob", "zoé");
  const line = fc.oneof(
    fc
      .tuple(name, fc.constantFrom("x", `{SHA}${"a".repeat(27)}=`))
      .map(([user, hash]) => Buffer.from(`${user}:${hash}`)),
    fc.constantFrom("", "#alice:x", "  ", "other:y").map((text) => Buffer.from(text)),
    fc.uint8Array({ min: 0x20, max: 0xff, maxLength: 10 }).map((bytes) => Buffer.from(bytes)),
  );
  const file = fc
    .tuple(fc.boolean(), fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n"))), fc.boolean())
    .map(([mark, lines, cut]) => {
      const text = lines.flatMap(([bytes, ending], index) =>
        cut && index === lines.length - 1 ? [bytes] : [bytes, Buffer.from(ending)],
      );
      return Buffer.concat([Buffer.from(mark ? "\uFEFF" : ""), ...text]);
    });
  const linesOf = (content: Buffer): string[] => content.toString("latin1").split("\n");
  const hash = `$2y$10$${"a".repeat(53)}`;
  fc.assert(
    fc.property(file, name, (content, username) => {
      const edited = editEntry(content, username, hash);
      expect(parseUserFile(edited.content, false).hashes.get(username)?.text).toBe(hash);
      const [before, after] = [linesOf(content), linesOf(edited.content)];
      const changed = before.filter((text, index) => text !== after[index]);
      // A line is added after the last, which may get the line ending that it did not have.
      if (edited.outcome === "created") expect(changed.every((text) => text === before.at(-1))).toBe(true);
      else {
        expect(after).toHaveLength(before.length);
        expect(changed).toHaveLength(1);
      }
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["a group file", "pushers: alice bob\nempty:\n"],
  [
    "a configuration",
    "listen:\n  address: 127.0.0.1:5043\nauth:\n  backends:\n    - { type: htpasswd, file: users }\n",
  ],
])("does not take %s for a password file", async (_, content) => {
  const file = join(await scratchDirectory(), "other");
  await writeFile(file, content);
  expect(await faultsOf(setPassword(file, "alice", "secret", CHEAP))).toEqual([
    `file is not a password file: no line is user:hash: ${file}`,
  ]);
  expect(await readFile(file, "utf8")).toBe(content);
});

test.each(["", "# users\n", "alice:\n", "alice:plain\n", "alice: $apr1$x$y\n", "alice: !\n"])(
  "takes %j for a password file",
  async (content) => {
    const file = join(await scratchDirectory(), "users");
    await writeFile(file, content);
    expect(await setPassword(file, "carol", "secret", CHEAP)).toBe("created");
  },
);

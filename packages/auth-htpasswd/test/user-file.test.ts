import { InvalidFileError } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseUserFile } from "../src/user-file.ts";

const BCRYPT = `$2y$10$${"a".repeat(53)}`;
const SHA = `{SHA}${"a".repeat(27)}=`;
const parse = (text: string | Uint8Array, allowPlaintext = false) => parseUserFile(Buffer.from(text), allowPlaintext);

test("comments, blank lines, CRLF, a byte order mark and white space around a line are ignored", () => {
  const file = parse(`\uFEFF# users\r\n\r\nalice:${BCRYPT}\r\n  bob:${SHA} \t\n\n#carol:${SHA}\ndave:${SHA}`);
  expect([...file.hashes.keys()]).toEqual(["alice", "bob", "dave"]);
  expect(file.hashes.get("alice")).toEqual({ kind: "bcrypt", cost: 10, text: BCRYPT });
  expect(file.hashes.get("bob")?.text).toBe(SHA);
  expect(file.faults).toEqual([]);
});

test("what follows a second colon is ignored", () => {
  expect(parse(`alice:${SHA}:1000:comment`).hashes.get("alice")?.text).toBe(SHA);
});

test("the first of several lines for a user counts, also when it cannot be used", () => {
  const file = parse(`alice:${SHA}\nbob:?\nalice:${BCRYPT}\nbob:${SHA}`);
  expect(file.hashes.get("alice")?.text).toBe(SHA);
  expect(file.hashes.has("bob")).toBe(false);
  expect(file.faults.map((fault) => fault.line)).toEqual([2, 3, 4]);
});

test("a user who is called as robots are is passed over, with a warning", () => {
  const file = parse(`alice:${SHA}\nrobot$ci:${SHA}\nRobot$ci:${SHA}`);
  expect([...file.hashes.keys()]).toEqual(["alice"]);
  expect(file.faults).toEqual([2, 3].map((line) => ({ line, message: "the name of the user is reserved for robots" })));
});

test("one name in two forms of Unicode is one user", () => {
  const file = parse(`zo\u0065\u0301:${SHA}\nzo\u00e9:${BCRYPT}`);
  expect([...file.hashes]).toEqual([["zo\u00e9", { kind: "sha1", cost: 0, text: SHA }]]);
});

test.each([
  ["", "is missing"],
  ["$2x$10$".padEnd(60, "a"), "old variant of bcrypt"],
  ["$2y$03$".padEnd(60, "a"), "cost of the bcrypt hash"],
  ["$2y$18$".padEnd(60, "a"), "cost of the bcrypt hash"],
  ["$2y$1x$".padEnd(60, "a"), "bcrypt hash is malformed"],
  ["$2y$10$".padEnd(59, "a"), "bcrypt hash is malformed"],
  ["$2y$10$".padEnd(61, "a"), "bcrypt hash is malformed"],
  ["$apr1$saltsaltsalt$".padEnd(41, "a"), "MD5 crypt hash is malformed"],
  ["$1$salt$short", "MD5 crypt hash is malformed"],
  [`$5$salt$${"a".repeat(42)}`, "SHA crypt hash is malformed"],
  [`$6$salt$${"a".repeat(43)}`, "SHA crypt hash is malformed"],
  [`$6$seventeenlongsalt$${"a".repeat(86)}`, "SHA crypt hash is malformed"],
  [`$6$rounds=999$salt$${"a".repeat(86)}`, "rounds of the SHA crypt hash"],
  [`$6$rounds=05000$salt$${"a".repeat(86)}`, "rounds of the SHA crypt hash"],
  [`$6$rounds=999999999$salt$${"a".repeat(86)}`, "rounds of the SHA crypt hash"],
  ["{SHA}short", "{SHA} hash is malformed"],
  [`{SSHA}${"a".repeat(27)}=`, "{SSHA} hash is malformed"],
  ["{MD5}aaaaaaaaaaaaaaaaaaaaaa==", "format of the password hash is not known"],
  ["$y$j9T$salt$hash", "yescrypt"],
  ["$argon2id$v=19$m=65536,t=3,p=4$salt$hash", "Argon2"],
  ["$7$CU..../....salt$hash", "scrypt"],
  ["_J9..CCCCXBrJUJV154M", "BSDi"],
  ["{PLAIN}", "password is missing"],
])("%s cannot be used, and the warning has its line but nothing of it", (stored, reason) => {
  for (const allowPlaintext of [false, true]) {
    const { hashes, faults } = parse(`ok:${SHA}\n\nalice:${stored}`, allowPlaintext);
    expect([...hashes.keys()]).toEqual(["ok"]);
    expect(faults).toMatchObject([{ line: 3, message: expect.stringContaining(reason) }]);
    if (stored.length > 10) expect(faults[0]?.message).not.toContain(stored.slice(5));
  }
});

test("plain text is used only where it is allowed", () => {
  for (const stored of ["secret", "{PLAIN}secret", "pa$$word"]) {
    expect(parse(`alice:${stored}`).faults).toMatchObject([
      { line: 1, message: expect.stringContaining("plain text") },
    ]);
    const { hashes, weak } = parse(`alice:${stored}`, true);
    expect(hashes.get("alice")).toEqual({ kind: "plain", cost: 0, text: stored.replace("{PLAIN}", "") });
    expect(weak.plain).toEqual([1]);
  }
});

test.each([
  [
    "$apr1$salt$hash after a blank",
    " $apr1$saltsalt$aaaaaaaaaaaaaaaaaaaaaa",
    "blanks, quotes or other marks stand before the hash",
  ],
  ["in quotes", '"$apr1$saltsalt$aaaaaaaaaaaaaaaaaaaaaa"', "blanks, quotes or other marks stand before the hash"],
  ["in single quotes after a blank", ` '${BCRYPT}'`, "blanks, quotes or other marks stand before the hash"],
  ["in quotes of a word processor", "\u201c$6$salt$aaaa\u201d", "blanks, quotes or other marks"],
  ["after a character that nobody sees", "\u200b$6$salt$aaaa", "blanks, quotes or other marks"],
  ["escaped for a shell", "\\$apr1\\$salt\\$aaaa", "blanks, quotes or other marks"],
  ["after an equals sign", "=$6$salt$aaaa", "blanks, quotes or other marks"],
  ["of a compose file", "$$apr1$$saltsalt$$aaaaaaaaaaaaaaaaaaaaaa", "the dollar signs of the hash are doubled"],
  ["of a compose file, in quotes", `"${BCRYPT.replaceAll("$", "$$$$")}"`, "the dollar signs of the hash are doubled"],
  ["of a kind that nobody knows", "$zz9$x$y", "the format of the password hash is not known"],
  ["with a number for its kind", "$8$x$y", "the format of the password hash is not known"],
  ["of a kind with a stroke", "$ml-pbkdf2$x$y", "the format of the password hash is not known"],
  ["of Django", "$pbkdf2-sha256$29000$x$y", "the format of the password hash is not known"],
  ["of a scheme", "{PBKDF2-SHA256}10000$x", "the format of the password hash is not known"],
  ["of a scheme in lower case", "{plain}secret", "the format of the password hash is not known"],
  ["of a scheme with an encoding", "{SHA512.b64}AAAA", "the format of the password hash is not known"],
  ["of a scheme after a blank", " {SSHA}AAAA", "blanks, quotes or other marks stand before the hash"],
  ["of htdigest", "Registry realm:5f4dcc3b5aa765d61d8327deb882cf99", "this is a line of htdigest"],
  [
    "of htdigest whose realm looks like DES crypt",
    "RegistryRealm:5F4DCC3B5AA765D61D8327DEB882CF99",
    "this is a line of htdigest",
  ],
  ["of htdigest with SHA-256", `realm:${"a1".repeat(32)}`, "this is a line of htdigest"],
  ["of /etc/passwd", "x:1000:1000:Alice:/home/alice:/bin/sh", "this is a line of /etc/passwd"],
  ["a lock", "!", "the entry is locked"],
  ["a lock of two marks", "!!", "the entry is locked"],
  ["a lock of a star", "*", "the entry is locked"],
  ["a lock before a hash", `!${BCRYPT}`, "the entry is locked"],
  ["a lock before a password", "!secret", "the entry is locked"],
  ["a lock after a blank", " *LK*", "the entry is locked"],
])("what looks like a hash or a lock is never a password: %s", (_, stored, reason) => {
  for (const allowPlaintext of [true, false]) {
    const { hashes, faults, locked } = parse(`alice:${stored}`, allowPlaintext);
    expect([...hashes]).toEqual([]);
    expect(faults).toMatchObject([{ line: 1, message: expect.stringContaining(reason) }]);
    expect(locked).toBe(reason === "the entry is locked" ? 1 : 0);
  }
});

test("a password that looks like a hash or a lock is one behind {PLAIN}, and others need no mark", () => {
  for (const text of ["$a$b", "{x}y", "!!", "*", " $a$", "$$x$$"]) {
    expect(parse(`alice:{PLAIN}${text}`, true).hashes.get("alice")).toEqual({ kind: "plain", cost: 0, text });
  }
  for (const text of [
    "$ecret",
    "pa$$w$rd",
    "a{b}",
    "{open",
    "se!cret*",
    " blank",
    "realm:1000",
    "a:b:5f4dcc3b5aa765d61d8327deb882cf99",
  ]) {
    expect(parse(`alice:${text}`, true).hashes.get("alice")).toMatchObject({ kind: "plain", text: text.split(":")[0] });
  }
});

test("a hash may have what looks like a digest behind it", () => {
  expect(parse(`alice:${SHA}:${"a1".repeat(16)}`).hashes.get("alice")?.text).toBe(SHA);
});

test("everybody who has an entry is known by name, whether or not it can be used", () => {
  const { names } = parse(`alice:${SHA}\nbob:?\ncarol:!\n:x\nzo\u0065\u0301:`);
  expect([...names]).toEqual(["alice", "bob", "carol", "zo\u00e9"]);
});

test("logs lines that are not entries by number", () => {
  const { hashes, faults } = parse(
    Buffer.concat([
      Buffer.from("no colon\n"),
      Buffer.from([0xff, 0x3a, 0x0a]),
      Buffer.from(`:x\na\u0007b:x\nc:${SHA}`),
    ]),
  );
  expect([...hashes.keys()]).toEqual(["c"]);
  expect(faults.map((fault) => fault.line)).toEqual([1, 2, 3, 4]);
});

test("a file that is wholly something else is refused, and an empty one is not", () => {
  expect(() => parse("alice:\0")).toThrow(InvalidFileError);
  expect(() => parse(Buffer.from(`alice:${SHA}\n`, "utf16le"))).toThrow(InvalidFileError);
  expect(() => parse("<html>\nnot found\n</html>")).toThrow(InvalidFileError);
  expect(parse("").hashes.size).toBe(0);
  expect(parse("# nobody\n\n").hashes.size).toBe(0);
});

test("no file makes the parser throw anything else", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ max: 255, maxLength: 200 }),
    fc.string({ unit: "binary", maxLength: 200 }).map((text) => Buffer.from(text)),
    fc
      .array(
        fc.constantFrom("alice", ":", "\n", "\r", "#", "$2y$", "$6$", "rounds=", "{SHA}", "{SSHA}", "$", "=", "é", " "),
      )
      .map((parts) => Buffer.from(parts.join(""))),
  );
  fc.assert(
    fc.property(bytes, fc.boolean(), (content, allowPlaintext) => {
      try {
        const { hashes, faults } = parseUserFile(Buffer.from(content), allowPlaintext);
        const lines = Buffer.from(content).toString("latin1").split("\n").length;
        for (const { line } of faults) expect(line).toSatisfy((n: number) => n >= 1 && n <= lines);
        for (const [name, { kind }] of hashes) {
          expect(name).not.toMatch(/[:\n]|^$/);
          if (!allowPlaintext) expect(kind).not.toBe("plain");
        }
      } catch (error) {
        if (!(error instanceof InvalidFileError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

const crypt = (length: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.constantFrom(..."./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    minLength: length,
    maxLength: length,
  });
const base64 = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((data) => Buffer.from(data).toString("base64"));
const storedHash = fc.oneof(
  fc.tuple(fc.constantFrom("a", "b", "y"), fc.integer({ min: 4, max: 17 }), crypt(53)).map(([version, cost, rest]) => {
    return `$2${version}$${String(cost).padStart(2, "0")}$${rest}`;
  }),
  fc
    .tuple(fc.constantFrom("$apr1$", "$1$"), crypt(8), crypt(22))
    .map(([magic, salt, rest]) => `${magic}${salt}$${rest}`),
  fc.tuple(crypt(16), crypt(43)).map(([salt, rest]) => `$5$${salt}$${rest}`),
  fc.tuple(fc.integer({ min: 1000, max: 10_000_000 }), crypt(4), crypt(86)).map(([rounds, salt, rest]) => {
    return `$6$rounds=${rounds}$${salt}$${rest}`;
  }),
  base64(20).map((digest) => `{SHA}${digest}`),
  base64(28).map((digest) => `{SSHA}${digest}`),
  crypt(13),
);
const username = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .map((name) => name.normalize("NFC"))
  .filter((name) => !/[:\p{Cc}\p{Zl}\p{Zp}]|^[# \uFEFF]| $/u.test(name));

test("whatever users are written to a file, the same are read from it", () => {
  const users = fc.uniqueArray(fc.tuple(username, storedHash), { selector: ([name]) => name, maxLength: 20 });
  const layout = fc.record({
    ending: fc.constantFrom("\n", "\r\n"),
    mark: fc.constantFrom("", "\uFEFF"),
    filler: fc.constantFrom("", "# comment", "   ", "#x:y"),
  });
  fc.assert(
    fc.property(users, layout, (entries, { ending, mark, filler }) => {
      const lines = entries.flatMap(([name, stored]) => [filler, `${name}:${stored}`]);
      const { hashes, faults } = parse(mark + lines.join(ending));
      expect([...hashes].map(([name, hash]) => [name, hash.text])).toEqual(entries);
      expect(faults).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

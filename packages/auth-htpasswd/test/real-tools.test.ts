import { expect, test } from "vitest";
import { open, run, signIn } from "./fixtures.ts";

const ALPHABET =
  "The quick brown fox jumps over the lazy dog and 0123456789 others, again and again, until it is tired.";

/** Around every length at which an algorithm takes another block, and beyond ASCII. */
const PASSWORDS = [
  "x",
  "testpassword",
  "correct horse battery staple",
  ...[7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 55, 56, 63, 64, 65, 71, 72].map((length) => ALPHABET.slice(0, length)),
  "pässwörd",
  "пароль",
  "密码密码密码密码",
  "🐳".repeat(16),
  "\u00ff\u0100",
  "$6$rounds=5000$!'\"\\%",
];
const LONG_PASSWORDS = [...PASSWORDS, ALPHABET.slice(0, 95), ALPHABET.slice(0, 96), ALPHABET, "ü".repeat(128)];
const htpasswdFits = (password: string): boolean => Buffer.byteLength(password) <= 255;

interface Format {
  readonly name: string;
  readonly passwords: readonly string[];
  readonly make: (password: string) => string;
}

const byHtpasswd = (...flags: string[]): Format["make"] => {
  return (password) => run("htpasswd", ["-ni", ...flags, "user"], password).replace(/^user:/, "");
};
const byOpenssl = (...flags: string[]): Format["make"] => {
  return (password) => run("openssl", ["passwd", ...flags, "-stdin"], password);
};
const byMkpasswd = (...flags: string[]): Format["make"] => {
  return (password) => run("mkpasswd", ["--stdin", ...flags], password);
};

const FORMATS: readonly Format[] = [
  { name: "htpasswd -B (bcrypt, $2y$)", passwords: PASSWORDS, make: byHtpasswd("-B", "-C", "4") },
  { name: "mkpasswd bcrypt ($2b$)", passwords: PASSWORDS, make: byMkpasswd("-m", "bcrypt", "-R", "4") },
  { name: "mkpasswd bcrypt-a ($2a$)", passwords: PASSWORDS, make: byMkpasswd("-m", "bcrypt-a", "-R", "4") },
  { name: "htpasswd -m ($apr1$)", passwords: LONG_PASSWORDS.filter(htpasswdFits), make: byHtpasswd("-m") },
  { name: "openssl -apr1", passwords: LONG_PASSWORDS, make: byOpenssl("-apr1") },
  { name: "openssl -apr1, short salt", passwords: PASSWORDS, make: byOpenssl("-apr1", "-salt", "a") },
  { name: "openssl -1", passwords: LONG_PASSWORDS, make: byOpenssl("-1") },
  { name: "mkpasswd md5crypt ($1$)", passwords: LONG_PASSWORDS, make: byMkpasswd("-m", "md5crypt") },
  { name: "htpasswd -s ({SHA})", passwords: PASSWORDS, make: byHtpasswd("-s") },
  { name: "htpasswd -2 ($5$)", passwords: LONG_PASSWORDS.filter(htpasswdFits), make: byHtpasswd("-2") },
  { name: "htpasswd -2 -r 1234", passwords: PASSWORDS, make: byHtpasswd("-2", "-r", "1234") },
  { name: "openssl -5", passwords: LONG_PASSWORDS, make: byOpenssl("-5") },
  { name: "mkpasswd sha256crypt", passwords: LONG_PASSWORDS, make: byMkpasswd("-m", "sha256crypt") },
  {
    name: "mkpasswd sha256crypt, 1000 rounds",
    passwords: PASSWORDS,
    make: byMkpasswd("-m", "sha256crypt", "-R", "1000"),
  },
  { name: "htpasswd -5 ($6$)", passwords: LONG_PASSWORDS.filter(htpasswdFits), make: byHtpasswd("-5") },
  { name: "htpasswd -5 -r 9999", passwords: PASSWORDS, make: byHtpasswd("-5", "-r", "9999") },
  { name: "openssl -6", passwords: LONG_PASSWORDS, make: byOpenssl("-6") },
  { name: "openssl -6, short salt", passwords: PASSWORDS, make: byOpenssl("-6", "-salt", "ab") },
  { name: "mkpasswd sha512crypt", passwords: LONG_PASSWORDS, make: byMkpasswd("-m", "sha512crypt") },
  {
    name: "mkpasswd sha512crypt, 16 characters of salt, 20000 rounds",
    passwords: PASSWORDS,
    make: byMkpasswd("-m", "sha512crypt", "-R", "20000", "-S", "./09azAZ./09azAZ"),
  },
  { name: "htpasswd -d (DES)", passwords: PASSWORDS.filter(htpasswdFits), make: byHtpasswd("-d") },
  { name: "mkpasswd descrypt", passwords: LONG_PASSWORDS, make: byMkpasswd("-m", "descrypt") },
];

test.each(FORMATS)("$name: every password is taken, and no other", async ({ passwords, make }) => {
  const lines = passwords.map((password, index) => `user${index}:${make(password)}`);
  const { backend, lines: log } = await open(lines.join("\n"));
  expect(log.filter((line) => "line" in line.fields)).toEqual([]);
  await Promise.all(
    passwords.map(async (password, index) => {
      const right = await signIn(backend, `user${index}`, password);
      expect(right, password).toMatchObject({ status: "authenticated", identity: { username: `user${index}` } });
      // Another first byte, because DES crypt looks at eight alone, and at seven bits of each.
      const other = `${password.startsWith("y") ? "z" : "y"}${password.slice(1)}`;
      expect((await signIn(backend, `user${index}`, other)).status, other).toBe("rejected");
    }),
  );
});

test("{SSHA} made by openssl is taken, with any length of salt", async () => {
  const entries = await Promise.all(
    ["a", "saltsalt", "a longer salt than most"].map((salt, index) => {
      const digest = run("openssl", ["dgst", "-sha1", "-r"], `pässwörd${salt}`).slice(0, 40);
      const encoded = Buffer.concat([Buffer.from(digest, "hex"), Buffer.from(salt)]).toString("base64");
      return `user${index}:{SSHA}${encoded}`;
    }),
  );
  const { backend } = await open(entries.join("\n"));
  for (const index of entries.keys()) {
    expect((await signIn(backend, `user${index}`, "pässwörd")).status).toBe("authenticated");
    expect((await signIn(backend, `user${index}`, "passwörd")).status).toBe("rejected");
  }
});

test("plain text made by htpasswd -p is taken only when it is allowed", async () => {
  const entry = run("htpasswd", ["-nbp", "user", "open sesame"]);
  const refused = await open(entry);
  expect((await signIn(refused.backend, "user", "open sesame")).status).toBe("abstained");
  expect(refused.lines[0]).toMatchObject({ level: "warn", fields: { line: 1 } });
  const allowed = await open(`${entry}\nother:{PLAIN}open sesame`, { allowPlaintext: true });
  for (const user of ["user", "other"]) {
    expect((await signIn(allowed.backend, user, "open sesame")).status).toBe("authenticated");
    expect((await signIn(allowed.backend, user, "open sesam")).status).toBe("rejected");
  }
  expect((await signIn(allowed.backend, "other", "{PLAIN}open sesame")).status).toBe("rejected");
  expect(allowed.lines).toMatchObject([
    { level: "warn", message: "allowPlaintext: anyone who can read the file has every password" },
    { level: "warn", fields: { lines: [1, 2] } },
  ]);
});

test("DES crypt takes what agrees in the first eight bytes, as Apache does, and the log says so", async () => {
  const entry = run("htpasswd", ["-nbd", "user", "12345678"]);
  const { backend, lines } = await open(entry);
  expect((await signIn(backend, "user", "12345678 and more")).status).toBe("authenticated");
  expect((await signIn(backend, "user", "1234567")).status).toBe("rejected");
  expect(lines).toMatchObject([{ level: "warn", fields: { lines: [1] }, message: expect.stringContaining("eight") }]);
});

test("a bcrypt hash takes no password of more than 72 bytes, though the first 72 are right", async () => {
  const password = "é".repeat(36);
  const { backend } = await open(run("htpasswd", ["-niBC", "4", "user"], password));
  expect((await signIn(backend, "user", password)).status).toBe("authenticated");
  expect((await signIn(backend, "user", `${password}x`)).status).toBe("rejected");
});

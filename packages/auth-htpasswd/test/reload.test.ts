import { mkdir, readlink, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AuthBackend, AuthResult } from "@registry-gate/auth";
import { htpasswdBackend } from "@registry-gate/auth-htpasswd";
import { expect, onTestFinished, test } from "vitest";
import { recordingLog } from "../../../test/support/recording-log.ts";
import { cheapEntry, open, run, scratchDirectory, signIn, until } from "./fixtures.ts";

const statusOf = async (backend: AuthBackend, user: string, password: string): Promise<AuthResult["status"]> =>
  (await signIn(backend, user, password)).status;

const ALICE = cheapEntry("alice", "secret");
const ALICE_NEW = cheapEntry("alice", "changed");
const BOB = cheapEntry("bob", "secret");

test("an edit in place brings new users and passwords into force, and a deleted user is gone", async () => {
  const { backend, file, lines } = await open(`${ALICE}\n${BOB}\n`);
  let changes = 0;
  const off = backend.onChange?.(() => changes++);
  await writeFile(file, `${ALICE_NEW}\n`);
  await until(() => expect(changes).toBe(1));
  expect(await statusOf(backend, "alice", "changed")).toBe("authenticated");
  expect(await statusOf(backend, "alice", "secret")).toBe("rejected");
  expect(await statusOf(backend, "bob", "secret")).toBe("abstained");
  expect(lines).toMatchObject([{ level: "info", fields: { file } }]);

  await writeFile(file, BOB);
  await until(() => expect(changes).toBe(2));
  expect(await statusOf(backend, "alice", "changed")).toBe("abstained");

  off?.();
  await writeFile(file, ALICE);
  await until(async () => expect(await statusOf(backend, "alice", "secret")).toBe("authenticated"));
  expect(changes).toBe(2);
});

test("the real htpasswd changes the file under a running backend", async () => {
  const { backend, file } = await open(`${ALICE}\n`);
  run("htpasswd", ["-bB", file, "carol", "secret"]);
  await until(async () => expect(await statusOf(backend, "carol", "secret")).toBe("authenticated"));
  run("htpasswd", ["-D", file, "alice"]);
  await until(async () => expect(await statusOf(backend, "alice", "secret")).toBe("abstained"));
  expect(await statusOf(backend, "carol", "secret")).toBe("authenticated");
});

test("the group file is followed as well", async () => {
  const { backend, groupFile } = await open(ALICE, { groups: "pushers: alice\n" });
  const groups = async (): Promise<unknown> => {
    const result = await signIn(backend, "alice", "secret");
    return result.status === "authenticated" ? result.identity.groups : result;
  };
  expect(await groups()).toEqual(["pushers"]);
  await writeFile(groupFile, "readers: alice\nadmins: alice\n");
  await until(async () => expect(await groups()).toEqual(["readers", "admins"]));
  await writeFile(groupFile, "");
  await until(async () => expect(await groups()).toEqual([]));
});

test("says which user has changed where it is one, in the password file or the group file", async () => {
  const { backend, file, groupFile } = await open(`${ALICE}\n${BOB}`, { groups: "pushers: alice\n" });
  const told: (string | undefined)[] = [];
  backend.onChange?.((subject) => told.push(subject));
  const steps: readonly (readonly [file: string, content: string, subject: string | undefined])[] = [
    [file, ALICE, "bob"],
    [file, `${ALICE}\n${BOB}`, "bob"],
    [file, `${ALICE.replace(":", ":!")}\n${BOB}`, "alice"],
    [groupFile, "pushers: alice bob\n", "bob"],
    [groupFile, "readers: alice bob\n", undefined],
    // Nobody's login: a reload is told all the same.
    [groupFile, "# by hand\nreaders: alice bob\n", undefined],
  ];
  for (const [index, [path, content, subject]] of steps.entries()) {
    await writeFile(path, content);
    await until(() => expect(told).toHaveLength(index + 1));
    expect(told.at(-1)).toBe(subject);
  }
});

test("looks up users with a usable entry, with their current groups", async () => {
  const { backend, file, groupFile } = await open(`${ALICE}\n${BOB}`, { groups: "pushers: alice\n" });
  const lookup = (subject: string) => backend.lookup?.(subject, AbortSignal.timeout(30_000));
  expect(await lookup("alice")).toMatchObject({ subject: "alice", groups: ["pushers"], backend: "users" });
  await writeFile(groupFile, "readers: alice\n");
  await until(async () => expect(await lookup("alice")).toMatchObject({ groups: ["readers"] }));
  await writeFile(file, `${ALICE.replace(":", ":!")}\n${BOB}`);
  await until(async () => expect(await lookup("alice")).toBeUndefined());
  expect(await lookup("bob")).toMatchObject({ username: "bob", groups: [] });
});

test("ignores a missing or invalid file, keeps the previous version, and logs that once", async () => {
  const { backend, file, lines } = await open(`${ALICE}\n`);
  const errors = (): unknown[] => lines.filter((line) => line.level === "error").map((line) => line.fields.reason);
  let changes = 0;
  backend.onChange?.(() => changes++);

  await writeFile(file, Buffer.from([0x61, 0x3a, 0, 1, 2]));
  await until(() => expect(errors()).toHaveLength(1));
  expect(await statusOf(backend, "alice", "secret")).toBe("authenticated");
  await unlink(file);
  await until(() => expect(errors()).toHaveLength(2));
  expect(await statusOf(backend, "alice", "secret")).toBe("authenticated");
  expect(errors()).toEqual(["is not a text file: it has NUL bytes in it", "no such file"]);
  expect(changes).toBe(0);

  await writeFile(file, BOB);
  await until(() => expect(changes).toBe(1));
  expect(await statusOf(backend, "alice", "secret")).toBe("abstained");
  expect(await statusOf(backend, "bob", "secret")).toBe("authenticated");
});

test.each([
  ["is empty", "", "is empty: it has no line user:hash"],
  ["holds comments alone", "# alice:x\n\n", "is empty: it has no line user:hash"],
  ["has no usable entry", "bob:$y$j9T$salt$hash\ncarol:?\n", "has no usable entry (line 1: yescrypt is not supported)"],
])("a password file that %s leaves the last good one in force", async (_, content, reason) => {
  const { backend, file, lines } = await open(`${ALICE}\n`);
  let changes = 0;
  backend.onChange?.(() => changes++);
  await writeFile(file, content);
  await until(() => expect(lines.filter(({ level }) => level === "error")).toHaveLength(1));
  expect(lines).toMatchObject([{ level: "error", fields: { file, reason } }]);
  expect(await statusOf(backend, "alice", "secret")).toBe("authenticated");
  expect(changes).toBe(0);

  await writeFile(file, BOB);
  await until(async () => expect(await statusOf(backend, "bob", "secret")).toBe("authenticated"));
  expect(await statusOf(backend, "alice", "secret")).toBe("abstained");
});

test("the last user of a file is gone when the entry is locked, and the log says that nobody can sign in", async () => {
  const { backend, file, lines } = await open(`${ALICE}\n`);
  await writeFile(file, ALICE.replace(":", ":!"));
  await until(async () => expect(await statusOf(backend, "alice", "secret")).toBe("abstained"));
  expect(lines).toMatchObject([
    { level: "warn", fields: { file, line: 1 }, message: "entry ignored: the entry is locked" },
    { level: "warn", fields: { file }, message: "nobody can sign in: the file has no usable entry" },
    { level: "info" },
  ]);
});

test("a password file may be empty at the start, and is filled later", async () => {
  const { backend, file, lines } = await open("");
  expect(lines).toMatchObject([{ level: "warn", message: "nobody can sign in: the file has no usable entry" }]);
  await writeFile(file, ALICE);
  await until(async () => expect(await statusOf(backend, "alice", "secret")).toBe("authenticated"));
});

test("an emptied group file leaves nobody in a group, and deny rules still apply to the previous members", async () => {
  const { backend, groupFile, lines } = await open(ALICE, { groups: "leavers: alice\n" });
  const identity = async (): Promise<unknown> => {
    const result = await signIn(backend, "alice", "secret");
    return result.status === "authenticated" ? result.identity : result;
  };
  expect(await identity()).toMatchObject({ groups: ["leavers"] });
  for (const content of ["", "# nobody\n"]) {
    await writeFile(groupFile, content);
    await until(async () => expect(await identity()).toMatchObject({ groups: [], ambiguousGroups: ["leavers"] }));
  }
  await until(() => expect(lines.filter(({ level }) => level === "error").length).toBeGreaterThan(0));
  await writeFile(groupFile, "leavers:\n");
  await until(async () => expect(await identity()).not.toHaveProperty("ambiguousGroups"));
});

test("a check that began before its user was deleted does not sign the user in", async () => {
  const slow = run("htpasswd", ["-ni5", "-r", "300000", "alice"], "secret");
  const { backend, file } = await open(slow, { hashConcurrency: 1 });
  const others = new AbortController();
  // They hold the turn until the file has been read anew.
  const before = Array.from({ length: 200 }, () =>
    signIn(backend, "alice", "wrong", others.signal).catch(() => "gone"),
  );
  const result = signIn(backend, "alice", "secret");
  await writeFile(file, BOB);
  await new Promise<void>((resolve) => backend.onChange?.(() => resolve()));
  others.abort();
  expect((await Promise.all(before)).at(-1), "the turn had not come when the file was read").toBe("gone");
  expect((await result).status).toBe("abstained");
});

/** The ways in which a whole file is replaced; each gives a function that puts new content in place. */
const REPLACEMENTS: Readonly<Record<string, (directory: string) => Promise<(content: string) => Promise<void>>>> = {
  "written in place": async (directory) => (content) => writeFile(join(directory, "users"), content),
  "renamed over": async (directory) => async (content) => {
    await writeFile(join(directory, "next"), content);
    await rename(join(directory, "next"), join(directory, "users"));
  },
  "swapped behind ..data": async (directory) => {
    let version = 0;
    await symlink("..data/users", join(directory, "users"));
    return async (content) => {
      const old = version === 0 ? undefined : await readlink(join(directory, "..data"));
      const next = `..2026_${++version}`;
      await mkdir(join(directory, next));
      await writeFile(join(directory, next, "users"), content);
      await symlink(next, join(directory, "..data_tmp"));
      await rename(join(directory, "..data_tmp"), join(directory, "..data"));
      if (old !== undefined) await rm(join(directory, old), { recursive: true });
    };
  },
};

test.each(Object.entries(REPLACEMENTS))("%s again and again, no request sees half a file", async (_name, prepare) => {
  const directory = await scratchDirectory();
  const put = await prepare(directory);
  // Two generations of one file, long enough that a part of it is plausible; the last user stands at the very end.
  const filler = (generation: string): string[] =>
    Array.from({ length: 2000 }, (_, index) => `filler${generation}${index}:{SHA}${"A".repeat(27)}=`);
  const generation = (name: string): string =>
    [run("htpasswd", ["-nbs", "first", name]), ...filler(name), run("htpasswd", ["-nbs", "last", name]), ""].join("\n");
  const contents: Readonly<Record<string, string>> = { odd: generation("odd"), even: generation("even") };
  await put(contents.odd ?? "");
  const { log, lines } = recordingLog();
  const backend = await htpasswdBackend({ file: "users" }, { id: "users", baseDirectory: directory, log });
  onTestFinished(() => backend.close?.());

  let replacing = true;
  let changes = 0;
  backend.onChange?.(() => changes++);
  const seen = new Set<string>();
  const asking = (async () => {
    while (replacing) {
      const answers = await Promise.all(
        ["odd", "even"].flatMap((name) => [statusOf(backend, "first", name), statusOf(backend, "last", name)]),
      );
      seen.add(answers.join(" "));
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let round = 1; round <= 6; round++) {
    await put(contents[round % 2 === 0 ? "odd" : "even"] ?? "");
    await until(() => expect(changes).toBe(round));
  }
  replacing = false;
  await asking;
  expect(seen).toEqual(
    new Set(["authenticated authenticated rejected rejected", "rejected rejected authenticated authenticated"]),
  );
  expect(lines.filter((line) => line.level !== "info")).toEqual([]);
});

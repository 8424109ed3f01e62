import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { BackendUnavailableError, InvalidOptionsError } from "@registry-gate/auth";
import { htpasswdBackend, plugin } from "@registry-gate/auth-htpasswd";
import { expect, test } from "vitest";
import { recordingLog } from "../../../test/support/recording-log.ts";
import { cheapEntry, open, requestWith, run, scratchDirectory, signIn, until } from "./fixtures.ts";

/** Takes long enough to be found under way. */
const slowEntry = (username: string, password: string): string => {
  return run("htpasswd", ["-ni5", "-r", "300000", username], password);
};

test("a user signs in with the right password, and has the groups of the group file", async () => {
  const { backend } = await open(
    `${cheapEntry("testuser", "testpassword")}\n${cheapEntry("reader", "readerpassword")}`,
    {
      groups: "pushers: testuser\nstaff: testuser reader\n",
    },
  );
  expect(await signIn(backend, "testuser", "testpassword")).toEqual({
    status: "authenticated",
    identity: {
      subject: "testuser",
      username: "testuser",
      groups: ["pushers", "staff"],
      revision: expect.stringMatching(/^[\w-]{22}$/),
      backend: "users",
    },
  });
  expect(await signIn(backend, "reader", "readerpassword")).toMatchObject({ identity: { groups: ["staff"] } });
  expect(await signIn(backend, "testuser", "readerpassword")).toEqual({ status: "rejected", reason: "wrong password" });
  await backend.check?.(new AbortController().signal);
});

test("without a group file nobody is in a group, and the context has defaults", async () => {
  const file = join(await scratchDirectory(), "users");
  await writeFile(file, cheapEntry("alice", "secret"));
  const backend = await htpasswdBackend({ file });
  expect(await signIn(backend, "alice", "secret")).toMatchObject({ identity: { groups: [], backend: "htpasswd" } });
  await backend.close?.();
});

test("it abstains from unknown users, bearer tokens and requests without credentials", async () => {
  const { backend } = await open(cheapEntry("alice", "secret"));
  expect(await signIn(backend, "bob", "secret")).toEqual({ status: "abstained" });
  expect(await backend.authenticate(requestWith({ scheme: "bearer", token: "t" }))).toEqual({ status: "abstained" });
  expect(await backend.authenticate(requestWith(undefined))).toEqual({ status: "abstained" });
});

test("names of the object prototype are no users", async () => {
  const { backend } = await open(cheapEntry("alice", "secret"), { groups: "constructor: alice" });
  for (const name of ["__proto__", "constructor", "toString"]) {
    expect((await signIn(backend, name, "secret")).status).toBe("abstained");
  }
});

test("passwords that no hash can come from are rejected", async () => {
  const sha = run("htpasswd", ["-nbs", "sha", "secret"]);
  const { backend } = await open(`${cheapEntry("alice", "secret")}\n${sha}\nplain:secret`, { allowPlaintext: true });
  for (const user of ["alice", "sha", "plain"]) {
    for (const password of ["", "secret\0", "secret\0more", "\ud800", "x".repeat(100_000)]) {
      expect((await signIn(backend, user, password)).status).toBe("rejected");
    }
    expect((await signIn(backend, user, "secret")).status).toBe("authenticated");
  }
});

test("a user name may come in another form of Unicode than in the file", async () => {
  const { backend } = await open(cheapEntry("zo\u0065\u0301", "secret"));
  expect(await signIn(backend, "zo\u00e9", "secret")).toMatchObject({ identity: { username: "zo\u00e9" } });
});

test("an unknown user takes a turn at hashing, as a wrong password does", async () => {
  const { backend } = await open(slowEntry("alice", "secret"), { hashConcurrency: 1, hashQueue: 0 });
  for (const user of ["alice", "nobody"]) {
    const first = signIn(backend, user, "wrong");
    await expect(signIn(backend, "alice", "secret")).rejects.toBeInstanceOf(BackendUnavailableError);
    expect((await first).status).toBe(user === "alice" ? "rejected" : "abstained");
  }
});

test.each(["$6$", "bcrypt"])(
  "with %s, too many checks at once are unavailable, and those in the queue succeed",
  async (kind) => {
    const entry = kind === "$6$" ? slowEntry("alice", "secret") : run("htpasswd", ["-niBC", "10", "alice"], "secret");
    const { backend } = await open(entry, { hashConcurrency: 1, hashQueue: 2 });
    const attempts = await Promise.allSettled(Array.from({ length: 5 }, () => signIn(backend, "alice", "secret")));
    expect(attempts.map((attempt) => attempt.status)).toEqual([
      "fulfilled",
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
    ]);
    expect(attempts[4]).toMatchObject({ reason: { code: "BACKEND_UNAVAILABLE", backend: "users" } });
    expect((await signIn(backend, "alice", "secret")).status).toBe("authenticated");
  },
);

test("as many hashes as allowed are computed at once, and not one more", async () => {
  const bcrypt = run("htpasswd", ["-niBC", "10", "bob"], "secret");
  const { backend } = await open(`${slowEntry("alice", "secret")}\n${bcrypt}`, { hashConcurrency: 2, hashQueue: 0 });
  // Both kinds share one limit.
  const attempts = ["alice", "bob", "alice", "bob"].map((user) => signIn(backend, user, "secret"));
  const outcomes = await Promise.allSettled(attempts);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
});

test("serves clients in turn: one that has many logins waiting delays another by one turn", async () => {
  const { backend } = await open(cheapEntry("alice", "secret"), { hashConcurrency: 1, hashQueue: 100 });
  const served: string[] = [];
  const logIn = async (client: string): Promise<void> => {
    const credentials = { scheme: "basic", username: "alice", password: "wrong" } as const;
    await backend.authenticate({ ...requestWith(credentials), client });
    served.push(client);
  };
  await Promise.all([...Array.from({ length: 20 }, () => logIn("192.0.2.1")), logIn("198.51.100.4")]);
  expect(served.indexOf("198.51.100.4")).toBeLessThanOrEqual(2);
});

test("an aborted request is answered at once, whether it waits or is under way, and frees its place", async () => {
  const { backend } = await open(slowEntry("alice", "secret"), { hashConcurrency: 1, hashQueue: 1 });
  const order: string[] = [];
  const note = (name: string) => () => void order.push(name);
  const [running, waiting] = [new AbortController(), new AbortController()];
  const first = signIn(backend, "alice", "secret", running.signal).catch((error: unknown) => error);
  const second = signIn(backend, "alice", "secret", waiting.signal).catch((error: unknown) => error);
  waiting.abort();
  expect(await second).toBeInstanceOf(BackendUnavailableError);
  const third = signIn(backend, "alice", "secret");
  const both = Promise.all([first.then(note("aborted")), third.then(note("third"))]);
  running.abort();
  await both;
  expect(await first).toBeInstanceOf(BackendUnavailableError);
  expect(order).toEqual(["aborted", "third"]);
  expect((await third).status).toBe("authenticated");
  await expect(signIn(backend, "alice", "secret", AbortSignal.abort())).rejects.toBeInstanceOf(BackendUnavailableError);
});

test("the event loop turns while hashes are computed", async () => {
  const { backend } = await open(
    `${slowEntry("alice", "secret")}\n${run("htpasswd", ["-niBC", "12", "bob"], "secret")}`,
  );
  for (const user of ["alice", "bob"]) {
    let turns = 0;
    const ticking = setInterval(() => turns++, 1);
    await signIn(backend, user, "secret");
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(5);
  }
});

test("close lets the checks under way finish, refuses later ones, and can be called again", async () => {
  const { backend } = await open(slowEntry("alice", "secret"), { hashConcurrency: 1 });
  const attempts = [signIn(backend, "alice", "secret"), signIn(backend, "alice", "wrong")];
  const closed = [backend.close?.(), backend.close?.()];
  await expect(signIn(backend, "alice", "secret")).rejects.toBeInstanceOf(BackendUnavailableError);
  expect((await Promise.all(attempts)).map((result) => result.status)).toEqual(["authenticated", "rejected"]);
  await Promise.all(closed);
});

test("fifty mixed requests at once do not cross", async () => {
  const users = Array.from({ length: 5 }, (_, index) => `user${index}`);
  const { backend } = await open(
    users.map((user) => run("openssl", ["passwd", "-6", `${user}-pw`]).replace(/^/, `${user}:`)).join("\n"),
  );
  const results = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const user = `user${index % 5}`;
      const right = index % 2 === 0;
      const result = await signIn(backend, user, right ? `${user}-pw` : `user${(index + 1) % 5}-pw`);
      return result.status === "authenticated" ? right && result.identity.username === user : !right;
    }),
  );
  expect(results).not.toContain(false);
});

test("options are judged at once, each fault with its path", async () => {
  const context = { id: "users", baseDirectory: await scratchDirectory(), log: recordingLog().log, warn() {} };
  const faultsOf = async (options: unknown): Promise<unknown> => {
    const error = await plugin.open(options, context).catch((reason: unknown) => reason);
    if (!(error instanceof InvalidOptionsError)) throw new Error(`expected InvalidOptionsError, got ${String(error)}`);
    return error.faults.map((fault) => `${fault.path.join(".")} ${fault.message}`);
  };
  expect(await faultsOf({})).toEqual(["file is required"]);
  expect(await faultsOf({ file: "" })).toEqual(["file is empty"]);
  expect(
    await faultsOf({ file: 1, groupFile: "", allowPlaintext: "yes", hashConcurrency: 0, hashQueue: 1.5, typo: 1 }),
  ).toEqual([
    "file must be a path",
    "groupFile is empty",
    "allowPlaintext must be true or false",
    "hashConcurrency must be a whole number from 1 to 1024",
    "hashQueue must be a whole number from 0 to 1000000",
    "typo is not a known key",
  ]);
  expect(await faultsOf(null)).toHaveLength(1);
});

test("files that cannot be loaded are faults of their options, all at once", async () => {
  const directory = await scratchDirectory();
  const faultsOf = async (options: Parameters<typeof htpasswdBackend>[0]): Promise<unknown> => {
    const error = await htpasswdBackend(options, { baseDirectory: directory }).catch((reason: unknown) => reason);
    if (!(error instanceof InvalidOptionsError)) throw new Error(`expected InvalidOptionsError, got ${String(error)}`);
    return error.faults;
  };
  await mkdir(join(directory, "directory"));
  await writeFile(join(directory, "binary"), Buffer.from([0, 1, 2]));
  await writeFile(join(directory, "good"), cheapEntry("alice", "secret"));
  const at = (name: string): string => join(directory, name);
  expect(await faultsOf({ file: "missing", groupFile: "directory" })).toEqual([
    { path: ["file"], message: `no such file: ${at("missing")}` },
    { path: ["groupFile"], message: `is a directory: ${at("directory")}` },
  ]);
  expect(await faultsOf({ file: "good", groupFile: "missing" })).toMatchObject([{ path: ["groupFile"] }]);
  expect(await faultsOf({ file: "binary" })).toMatchObject([
    { path: ["file"], message: `is not a text file: it has NUL bytes in it: ${at("binary")}` },
  ]);
});

test("the plugin names its type and describes its options", () => {
  expect(plugin).toMatchObject({
    type: "htpasswd",
    apiVersion: 1,
    optionsSchema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      required: ["file"],
      additionalProperties: false,
      properties: { file: { type: "string" }, allowPlaintext: { type: "boolean" } },
    },
  });
});

test("each entry that cannot be used is warned of by file and line, and no log has a hash in it", async () => {
  const good = cheapEntry("alice", "secret");
  const { lines, file, groupFile } = await open(`${good}\nbob:hunter2\ncarol:$y$j9T$abc$def\n${good}\nno colon`, {
    groups: "g: alice\nbroken\n",
  });
  await until(() => expect(lines).toHaveLength(5));
  expect(lines.map((line) => [line.level, line.fields])).toEqual(
    expect.arrayContaining([
      ...[2, 3, 4, 5].map((line) => ["warn", { file, line }]),
      ["warn", { file: groupFile, line: 2 }],
    ]),
  );
  expect(JSON.stringify(lines)).not.toMatch(/hunter2|j9T|\$2y/);
});

test("the built package works without type stripping, and its threads keep no process alive", async () => {
  const root = new URL("../../../", import.meta.url);
  const runNode = promisify(execFile);
  await runNode(process.execPath, ["node_modules/typescript/bin/tsc", "--build", "packages/auth-htpasswd"], {
    cwd: root,
  });
  const file = join(await scratchDirectory(), "users");
  await writeFile(file, `${run("htpasswd", ["-nb5", "alice", "secret"])}\n${cheapEntry("bob", "secret")}`);
  const program = `
    import { htpasswdBackend } from "@registry-gate/auth-htpasswd";
    const backend = await htpasswdBackend({ file: ${JSON.stringify(file)} });
    for (const username of ["alice", "bob"]) {
      const { status } = await backend.authenticate({
        credentials: { scheme: "basic", username, password: "secret" },
        signal: new AbortController().signal,
      });
      console.log(username, status, import.meta.resolve("@registry-gate/auth-htpasswd").slice(-13));
    }`;
  const { stdout } = await runNode(process.execPath, ["--no-strip-types", "--input-type=module", "--eval", program], {
    cwd: new URL("packages/auth-htpasswd/", root),
    env: { ...process.env, NODE_OPTIONS: "" },
    timeout: 30_000,
  });
  expect(stdout).toBe("alice authenticated dist/index.js\nbob authenticated dist/index.js\n");
});

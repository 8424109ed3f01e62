import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startable } from "../programs/startable.ts";
import { gateCommand } from "../support/gate.ts";
import { runCommand } from "../support/run.ts";
import { runGate } from "./run-gate.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "passwd-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** What the real htpasswd says of a password. */
async function verify(user: string, password: string): Promise<number | null> {
  return (await runCommand("htpasswd", ["-vi", "htpasswd", user], { directory, input: password })).code;
}

describe("from standard input", () => {
  test.each([
    ["a line", "first line\n"],
    ["a line as Windows ends it", "first line\r\n"],
    ["text without an end of line", "first line"],
    ["the first of several lines", "first line\nsecond line\n"],
    ["a line after a byte order mark", "\uFEFFfirst line\r\n"],
  ])("%s is the password", async (_, input) => {
    const result = await runGate(["passwd", "htpasswd", "alice"], { directory, input });
    expect(result).toEqual({ code: 0, stdout: "htpasswd: alice created\n", stderr: "" });
    expect(await verify("alice", "first line")).toBe(0);
    expect((await stat(join(directory, "htpasswd"))).mode & 0o777).toBe(0o600);
  });

  test.each([
    ["nothing", "", "password: is empty"],
    ["what is not UTF-8", Uint8Array.of(0xff, 0xfe, 0x0a), "password: is not UTF-8 text"],
    ["more than bcrypt looks at", "a".repeat(73), "password: is longer than 72 bytes, as UTF-8"],
    ["far more than any password", "a".repeat(1_000_000), "password: is longer than 72 bytes, as UTF-8"],
  ])("%s is refused, and no file is made", async (_, input, fault) => {
    const result = await runGate(["passwd", "htpasswd", "alice"], { directory, input });
    expect(result).toEqual({ code: 1, stdout: "", stderr: `${fault}\n` });
    await expect(stat(join(directory, "htpasswd"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("rejects a name that a password file cannot hold", async () => {
    const result = await runGate(["passwd", "htpasswd", "alice:bob"], { directory, input: "secret\n" });
    expect(result).toEqual({ code: 1, stdout: "", stderr: "username: contains a colon\n" });
  });

  test("names a missing directory", async () => {
    const result = await runGate(["passwd", "nowhere/htpasswd", "alice"], { directory, input: "secret\n" });
    expect(result).toEqual({ code: 1, stdout: "", stderr: "nowhere/htpasswd: no such directory: nowhere\n" });
  });

  test("runs at the same time lose no user", async () => {
    const users = ["u1", "u2", "u3", "u4", "u5"];
    const add = (user: string) => runGate(["passwd", "htpasswd", user], { directory, input: `secret of ${user}\n` });
    expect((await Promise.all(users.map(add))).map(({ code }) => code)).toEqual(users.map(() => 0));
    for (const user of users) expect(await verify(user, `secret of ${user}`), user).toBe(0);
  });
});

describe("to standard output", () => {
  test("prints the entry alone, and makes no file", async () => {
    const { code, stdout, stderr } = await runGate(["passwd", "-", "alice"], { directory, input: "canary\n" });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^alice:\$2y\$10\$[./A-Za-z0-9]{53}\n$/);
    expect(await readdir(directory)).toEqual([]);
    await writeFile(join(directory, "htpasswd"), stdout);
    expect(await verify("alice", "canary")).toBe(0);
    expect(await verify("alice", "other")).not.toBe(0);
  });

  test("says on standard error what is wrong", async () => {
    const result = await runGate(["passwd", "-", "alice"], { directory, input: "\n" });
    expect(result).toEqual({ code: 1, stdout: "", stderr: "password: is empty\n" });
  });

  test.each(["-", "htpasswd"])("says where bcrypt cannot be loaded, and what to do, for the file %s", async (file) => {
    const environment = { NAPI_RS_NATIVE_LIBRARY_PATH: "/nowhere" };
    const result = await runGate(["passwd", file, "alice"], { directory, environment, input: "canary\n" });
    expect(result).toEqual({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(
        /^password: cannot be hashed: bcrypt cannot be loaded on this machine .*openssl.*\n$/,
      ),
    });
    expect(await readdir(directory)).toEqual([]);
  });
});

/** What is typed, and after which text on the terminal. */
type Typing = readonly (readonly [after: string, keys: string])[];

/** Runs `registry-gate passwd htpasswd alice` on a terminal of its own; resolves to everything that is seen there. */
function onTerminal(typing: Typing): Promise<{ code: number | null; seen: string }> {
  // `script` gives its command a terminal, whatever it is itself run on, and passes on what it is sent.
  const command = [...gateCommand, "passwd", "htpasswd", "alice"].map((word) => `'${word}'`).join(" ");
  const child = spawn(startable("script"), ["--quiet", "--return", "--command", command, "/dev/null"], {
    cwd: directory,
  });
  let seen = "";
  const steps = [...typing];
  child.stdout.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
    for (let [step] = steps; step !== undefined && seen.includes(step[0]); [step] = steps) {
      steps.shift();
      child.stdin.write(step[1]);
    }
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, seen: seen.replaceAll("\r\n", "\n") }));
  });
}

const first = "Password for alice: ";
const again = "Repeat the password: ";

describe("on a terminal", () => {
  test.each<[string, Typing]>([
    [
      "typed",
      [
        [first, "canary\r"],
        [again, "canary\r"],
      ],
    ],
    ["pasted, both lines at once", [[first, "canary\rcanary\r"]]],
    [
      "mended with the delete key and with Ctrl-U",
      [
        [first, "canarz\u007fy\r"],
        [again, "wrong\u0015canary\r"],
      ],
    ],
  ])("a password is %s, and never shown", async (_, typing) => {
    const { code, seen } = await onTerminal(typing);
    expect({ code, seen }).toEqual({ code: 0, seen: `${first}\n${again}\nhtpasswd: alice created\n` });
    expect(await verify("alice", "canary")).toBe(0);
  });

  test.each<[string, Typing, string]>([
    [
      "two that differ",
      [
        [first, "canary\r"],
        [again, "canary2\r"],
      ],
      `${first}\n${again}\npassword: the passwords differ\n`,
    ],
    ["Ctrl-C", [[first, "canary\u0003"]], `${first}\nregistry-gate: interrupted\n`],
    ["Ctrl-D in place of a password", [[first, "\u0004"]], `${first}\nregistry-gate: no password was given\n`],
  ])("%s leaves everything as it was", async (_, typing, seen) => {
    expect(await onTerminal(typing)).toEqual({ code: 1, seen });
    await expect(readFile(join(directory, "htpasswd"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

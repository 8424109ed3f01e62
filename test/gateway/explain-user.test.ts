import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runGate } from "./run-gate.ts";

/** `explain --user` with users and groups in files. */

let directory: string;

const configuration = {
  listen: { address: "127.0.0.1:0" },
  upstream: { url: "http://127.0.0.1:1" },
  auth: { backends: [{ type: "htpasswd", file: "htpasswd", groupFile: "groups" }] as object[] },
  access: [
    { subjects: ["group:pushers", "user:Bob"], repositories: ["**"], actions: ["pull", "push"] },
    { effect: "deny", subjects: ["group:leavers"], repositories: ["**"], actions: ["*"] },
  ],
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "explain-user-"));
  const hash = `{SHA}${"a".repeat(27)}=`;
  const users = ["alice", "bob", "carol", "dave"].map((user) => `${user}:${hash}\n`).join("");
  await writeFile(join(directory, "htpasswd"), users);
  await writeFile(join(directory, "groups"), "pushers: alice carol dave\nleavers: carol,dave\nPushers: bob\n");
});

afterAll(() => rm(directory, { recursive: true, force: true }));

async function explain(whole: object, ...parameters: readonly string[]) {
  await writeFile(join(directory, "gate.yaml"), JSON.stringify(whole));
  return runGate(["explain", "--config", "gate.yaml", ...parameters, "push", "team/app"], { directory });
}

test("reads the groups of a user from the group file", async () => {
  expect(await explain(configuration, "--user", "alice")).toEqual({
    code: 0,
    stdout: "allowed\n  access[0]: allows push on team/app\n",
    stderr: "",
  });
});

test("counts for rules that deny what a slip in the group file may mean", async () => {
  expect(await explain(configuration, "--user", "carol")).toEqual({
    code: 1,
    stdout: "denied\n  access[0]: allows push on team/app\n  access[1]: denies push on team/app\n",
    stderr: "",
  });
});

test("points out a name that differs only in case, in rules and in files", async () => {
  expect(await explain(configuration, "--user", "bob")).toEqual({
    code: 1,
    stdout:
      "denied\n  access[0]: its subjects do not include bob or the groups Pushers; group:pushers differs by case alone\n",
    stderr: "",
  });
  const { code, stderr } = await explain(configuration, "--user", "Alice");
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: "gate.yaml: note: auth.backends[0] (htpasswd) knows alice, which differs from Alice only in case\n",
  });
});

test("says that no backend knows the user, and that groups cannot be read", async () => {
  expect((await explain(configuration, "--user", "erin")).stderr).toBe("gate.yaml: note: no backend knows erin\n");
  const missing = {
    ...configuration,
    auth: { backends: [{ type: "htpasswd", file: "htpasswd", groupFile: "nowhere" }] },
  };
  const { code, stdout, stderr } = await explain(missing, "--user", "alice");
  expect({ code, stdout }).toEqual({
    code: 1,
    stdout: "denied\n  access[0]: its subjects do not include alice, whose groups are not known\n",
  });
  expect(stderr).toBe(
    `gate.yaml: note: auth.backends[0].groupFile: no such file: ${join(directory, "nowhere")}; ` +
      "alice could not be looked up there\n",
  );
});

test("says that single sign-on provides groups only at login", async () => {
  const header = { type: "sso-header", trustedProxies: ["127.0.0.1"], userHeader: "X-User" };
  const { stdout, stderr } = await explain({ ...configuration, auth: { backends: [header] } }, "--user", "alice");
  expect(stdout).toContain("alice, whose groups are not known");
  expect(stderr).toBe(
    "gate.yaml: note: auth.backends[0] (sso-header) learns the groups of alice only at login: pass them with --group\n",
  );
});

test("uses the groups of the command line without looking the user up", async () => {
  const missing = { ...configuration, auth: { backends: [{ type: "htpasswd", file: "nowhere" }] } };
  expect(await explain(missing, "--user", "alice", "--group", "pushers")).toMatchObject({ code: 0, stderr: "" });
});

test.each([
  ["--connect without --user", ["--connect"], "--connect needs --user"],
  [
    "--connect beside --group",
    ["--user", "a", "--group", "b", "--connect"],
    "--connect and --group exclude each other",
  ],
])("refuses %s", async (_, parameters, message) => {
  const { code, stderr } = await explain(configuration, ...parameters);
  expect({ code, first: stderr.split("\n")[0] }).toEqual({ code: 2, first: `registry-gate: explain: ${message}` });
});

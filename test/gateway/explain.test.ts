import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runGate } from "./run-gate.ts";

const access = [
  { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] },
  { subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["pull", "push", "delete"] },
  { subjects: ["group:pushers"], repositories: ["**", "!secret/**"], actions: ["pull", "push"] },
];

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "explain-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function explain(rules: object[] | undefined, ...parameters: string[]) {
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: "http://127.0.0.1:1" },
    // The files are not read: who is in a group is said on the command line.
    auth: { backends: [{ type: "htpasswd", file: "nowhere" }] },
    ...(rules !== undefined && { access: rules }),
  };
  await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration));
  return runGate(["explain", "--config", "gate.yaml", ...parameters], { directory });
}

test("the rule that allows is named", async () => {
  expect(await explain(access, "--user", "alice", "push", "alice/app")).toEqual({
    code: 0,
    stdout: "allowed\n  access[1]: allows push on alice/app\n",
    stderr: "",
  });
});

test("where none allows, each says why not", async () => {
  const { code, stdout } = await explain(access, "--user", "alice", "--group", "pushers", "push", "secret/app");
  expect(code).toBe(1);
  expect(stdout.split("\n")).toEqual([
    "denied",
    expect.stringMatching(/^ {2}access\[0\]: .*actions/),
    expect.stringMatching(/^ {2}access\[1\]: /),
    expect.stringMatching(/^ {2}access\[2\]: .*excludes secret\/app/),
    "",
  ]);
});

test("as JSON, every rule and its reason are there", async () => {
  const { code, stdout } = await explain(access, "--json", "pull", "public/app");
  expect(code).toBe(0);
  const rule = (index: number, allows: boolean) => ({
    rule: index,
    allows,
    denies: false,
    reason: expect.any(String),
  });
  expect(JSON.parse(stdout)).toEqual({ allowed: true, rules: [rule(0, true), rule(1, false), rule(2, false)] });
});

test.each([
  ["without rules, whoever is signed in", undefined, ["--user", "alice", "push", "any/app"], 0],
  ["without rules, nobody who is not", undefined, ["pull", "any/app"], 1],
  ["without rules, no deleting", undefined, ["--user", "alice", "delete", "any/app"], 1],
  ["with an empty list, nobody", [], ["--user", "alice", "pull", "any/app"], 1],
] as const)("%s is allowed", async (_, rules, parameters, code) => {
  expect((await explain(rules?.slice(), ...parameters)).code).toBe(code);
});

test("reports faults of the configuration as check does", async () => {
  const result = await explain([{ subjects: ["everybody"], repositories: ["a//b"], actions: ["pull"] }], "pull", "a/b");
  expect(result).toEqual({
    code: 1,
    stdout: "",
    stderr: [
      "gate.yaml: access[0].subjects[0]: must be anonymous, authenticated, user:NAME or group:NAME\n",
      "gate.yaml: access[0].repositories[0]: must not have an empty path segment\n",
    ].join(""),
  });
});

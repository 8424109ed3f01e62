import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runGate } from "../gateway/run-gate.ts";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";

/** What `explain` says, and that a running gate with the same configuration does it. */

const configuration = {
  listen: { address: "127.0.0.1:0" },
  upstream: { url: "http://127.0.0.1:5000" },
  auth: { backends: [{ type: "htpasswd", file: "htpasswd", groupFile: "groups" }] },
  access: [
    { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] },
    { subjects: ["authenticated"], repositories: ["**", "!secret/**"], actions: ["pull"] },
    { subjects: ["group:pushers", "group:release managers"], repositories: ["team/**"], actions: ["pull", "push"] },
    { subjects: ["authenticated"], repositories: ["$" + "{username}/**"], actions: ["pull", "push", "delete"] },
    { subjects: ["user:ci"], repositories: ["ci-*/**"], actions: ["*"] },
  ],
};

let directory: string;
let registry: DockerRegistry;
let gate: RunningGate;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-explain-"));
  await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration));
  const passwords = { alice: "alice-password", bob: "bob-password", ci: "ci-password" };
  const files = { htpasswd: await passwordFile(passwords), groups: "pushers: bob\n" };
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  registry = await startDockerRegistry();
  gate = await startGate({
    configuration: { ...configuration, upstream: { url: registry.url } },
    files,
  });
});

afterAll(async () => {
  await gate.close();
  await registry.close();
  await rm(directory, { recursive: true, force: true });
});

function explain(...parameters: readonly string[]) {
  return runGate(["explain", "--config", "gate.yaml", ...parameters], { directory });
}

test("where none allows, each says why it does not, and the exit code is 1", async () => {
  expect(await explain("--user", "alice", "push", "secret/app")).toEqual({
    code: 1,
    stdout: [
      "denied",
      "  access[0]: its actions do not include push",
      "  access[1]: its actions do not include push",
      "  access[2]: its subjects do not include alice, who is in no group",
      "  access[3]: its repositories do not include secret/app",
      "  access[4]: its subjects do not include alice, who is in no group",
      "",
    ].join("\n"),
    stderr: "",
  });
  expect((await explain("--user", "bob", "--group", "pushers", "--group", "x", "pull", "secret/app")).stdout).toBe(
    [
      "denied",
      "  access[0]: its repositories do not include secret/app",
      "  access[1]: one of its repositories beginning with ! excludes secret/app",
      "  access[2]: its repositories do not include secret/app",
      "  access[3]: its repositories do not include secret/app",
      "  access[4]: its subjects do not include bob or the groups pushers, x",
      "",
    ].join("\n"),
  );
});

test("without a user it is an anonymous caller", async () => {
  expect(await explain("pull", "public/base")).toEqual({
    code: 0,
    stdout: "allowed\n  access[0]: allows pull on public/base\n",
    stderr: "",
  });
  const denied = await explain("pull", "team/app");
  expect(denied.code).toBe(1);
  expect(denied.stdout).toContain("access[1]: its subjects do not include an anonymous caller");
});

test("a group with a blank in its name, and several groups, are taken", async () => {
  const { code } = await explain("--user", "x", "--group", "y", "--group", "release managers", "push", "team/app");
  expect(code).toBe(0);
});

describe("a running gate decides as explain says", () => {
  const requests = {
    pull: (repository: string) => ["GET", `/v2/${repository}/manifests/latest`],
    push: (repository: string) => ["POST", `/v2/${repository}/blobs/uploads/`],
  } as const;

  test.each([
    ["nobody", [], {}],
    ["alice", ["--user", "alice"], basic("alice", "alice-password")],
    ["bob, by the group file", ["--user", "bob"], basic("bob", "bob-password")],
  ])("to %s", async (name, who, headers) => {
    for (const repository of ["public/base", "team/app", "secret/app", `${name.split(",")[0]}/app`]) {
      for (const [action, requestFor] of Object.entries(requests)) {
        const [method = "", path = ""] = requestFor(repository);
        const { code } = await explain(...who, action, repository);
        const { status } = await fetch(gate.url + path, { method, headers });
        expect(status !== 401 && status !== 403, `${action} ${repository}: ${status}`).toBe(code === 0);
      }
    }
  });
});

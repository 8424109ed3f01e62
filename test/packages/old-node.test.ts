import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startable } from "../programs/startable.ts";
import { runCommand } from "../support/run.ts";
import { packWorkspace } from "./pack.ts";
import { createProject, plainEnvironment } from "./stranger-project.ts";

/** One line. */
const refusal = /^registry-gate needs Node 22\.15 or newer\. This is Node [\d.]+: \/.*\n$/;

let directory: string;
let project: string;
let environment: Record<string, string>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-old-node-"));
  project = join(directory, "project");
  const packages = await packWorkspace(join(directory, "tarballs"));
  await createProject(project, packages, ["registry-gate", "@registry-gate/core"]);
  environment = { PATH: plainEnvironment(startable("old-node")).PATH ?? "" };
}, 300_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

test.each([
  ["serve", "--config", "gate.yaml"],
  ["check", "--config", "gate.yaml"],
  ["explain", "--config", "gate.yaml", "--user", "alice", "pull", "team/app"],
  ["passwd", "htpasswd", "alice"],
  ["schema"],
  ["--version"],
  ["--help"],
  ["frobnicate"],
  [],
])("the command refuses an old Node at once: registry-gate %s", async (...parameters) => {
  const program = join(project, "node_modules/.bin/registry-gate");
  const result = await runCommand(program, parameters, { directory, environment });
  expect(result).toEqual({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(refusal),
  });
});

test("the command's module refuses an old Node when it is started by its path", async () => {
  const program = join(project, "node_modules/registry-gate/command/main.js");
  const result = await runCommand("old-node", [program, "serve", "--config", "gate.yaml"], { directory: project });
  expect(result).toEqual({ code: 1, stdout: "", stderr: expect.stringMatching(refusal) });
});

test("the middleware refuses an old Node when it is imported", async () => {
  const parameters = [
    "--input-type=module",
    "--eval",
    'await import("@registry-gate/core").catch((error) => console.log(error.message));',
  ];
  const { stdout } = await runCommand("old-node", parameters, { directory: project });
  expect(stdout).toMatch(/^registry-gate needs Node 22\.15 or newer\. This is Node [\d.]+\n$/);
});

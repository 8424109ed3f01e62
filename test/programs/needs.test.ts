import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createNeedsReader } from "./needs.ts";

/** Writes modules, path to text, and reads what the first one needs. */
async function needsOf(modules: Readonly<Record<string, string>>) {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-needs-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(modules)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  const [first = ""] = Object.keys(modules);
  const { programs, processes, servers } = createNeedsReader().needsOf(join(directory, first));
  return { programs: [...programs].sort(), processes, servers };
}

test("needs what the modules start that a test file imports, however far away", async () => {
  const needs = await needsOf({
    "a/one.test.ts": 'import "../support/two.ts";',
    "support/two.ts": 'import { run } from "./run.ts"; export * from "./three.ts"; run("openssl", []);',
    "support/three.ts": 'export const start = () => tryServer({ command: "slapd" });',
    "support/run.ts": 'import { execFile } from "node:child_process";',
    "support/other.ts": 'run("curl", []);',
  });
  expect(needs).toEqual({ programs: ["openssl", "slapd"], processes: true, servers: false });
});

test("reads modules that import each other once", async () => {
  const needs = await needsOf({
    "one.test.ts": 'import "./two.ts";',
    "two.ts": 'import "./one.test.ts"; server.listen(0);',
  });
  expect(needs).toEqual({ programs: [], processes: false, servers: true });
});

test("needs nothing of what is not on the list, not a module or not there", async () => {
  const needs = await needsOf({ "one.test.ts": 'import "./data.json"; import "./gone.ts"; run("somewhere", "else");' });
  expect(needs).toEqual({ programs: [], processes: false, servers: false });
});

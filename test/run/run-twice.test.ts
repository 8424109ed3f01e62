import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runCommand } from "../support/run.ts";

const workspace = resolve(import.meta.dirname, "../..");

/** A test file in which something fails the first time that it is run: an attempt leaves a file beside it. */
const failsOnce = (call: string): string => `
import { existsSync, writeFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
${call}
function attempt() {
  const trace = import.meta.filename + ".attempt";
  const first = !existsSync(trace);
  writeFileSync(trace, "");
  expect(first).toBe(false);
}
`;
const testFailsOnce = failsOnce('test("has its time", attempt);');
const fileFailsOnce = failsOnce('beforeAll(attempt); test("is well", () => {});');
const fails = `import { expect, test } from "vitest"; test("is right", () => expect(1).toBe(2));`;
const passes = `import { test } from "vitest"; test("is well", () => {});`;
const rejects = `import { test } from "vitest"; test("forgets", () => void Promise.reject(new Error("forgotten")));`;

/** The outcome of all tests of a workspace with these files. */
async function outcomeOf(files: Readonly<Record<string, string>>): Promise<{ code: number | null; said: string[] }> {
  const root = await mkdtemp(join(tmpdir(), "registry-gate-twice-"));
  onTestFinished(() => rm(root, { recursive: true }));
  await symlink(join(workspace, "node_modules"), join(root, "node_modules"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
  const call = `
    import { runTwice } from ${JSON.stringify(join(workspace, "test/run/run-twice.ts"))};
    process.exitCode = await runTwice(${JSON.stringify(root)}, [], (line) => process.stdout.write("said: " + line + "\\n"));`;
  // What the outer run has set for its own is not for the inner one.
  const environment = { VITEST: "", NO_COLOR: "1" };
  const parameters = ["--conditions=development", "--input-type=module-typescript", "--eval", call];
  const { code, stdout } = await runCommand(process.execPath, parameters, { directory: root, environment });
  return { code, said: stdout.split("\n").flatMap((line) => (line.startsWith("said: ") ? [line.slice(6)] : [])) };
}

test("the tests have the environment of a run by vitest alone", async () => {
  const environment = `import { expect, test } from "vitest";
    test("has no variable of the reporter", () => expect(Object.keys(process.env).filter((name) => /FAILURES/.test(name))).toEqual([]));`;
  expect(await outcomeOf({ "a.test.ts": environment })).toEqual({ code: 0, said: [] });
});

test("what passes is run once", async () => {
  expect(await outcomeOf({ "a.test.ts": passes })).toEqual({ code: 0, said: [] });
});

test("a few files that fail beside the others and pass alone are named", async () => {
  expect(await outcomeOf({ "a.test.ts": testFailsOnce, "b.test.ts": passes, "c.test.ts": fileFailsOnce })).toEqual({
    code: 0,
    said: [
      "failed beside the others, and run once more alone: a.test.ts, c.test.ts",
      "failed beside the others, passed alone:",
      "  a.test.ts: has its time",
      "  c.test.ts: as a whole",
    ],
  });
});

test("a file that fails alone as well fails the run", async () => {
  const { code, said } = await outcomeOf({ "a.test.ts": testFailsOnce, "b.test.ts": fails });
  expect(code).toBe(1);
  expect(said).toHaveLength(1);
});

test("more than three files that fail are not run again", async () => {
  const files = ["a", "b", "c", "d"].map((name) => [`${name}.test.ts`, testFailsOnce]);
  expect(await outcomeOf(Object.fromEntries(files))).toEqual({ code: 1, said: [] });
});

test("an error outside of all tests fails the run, whatever else failed", async () => {
  expect(await outcomeOf({ "a.test.ts": testFailsOnce, "b.test.ts": rejects })).toEqual({ code: 1, said: [] });
  expect(await outcomeOf({ "b.test.ts": rejects })).toEqual({ code: 1, said: [] });
});

test("no test at all fails the run", async () => {
  expect(await outcomeOf({})).toEqual({ code: 1, said: [] });
});

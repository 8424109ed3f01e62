import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findProgram } from "../programs/find-program.ts";
import { type CommandResult, run, runCommand } from "../support/run.ts";

const workspace = resolve(import.meta.dirname, "../..");

/** Test files of which the first two start nothing, and the third one htpasswd. */
const chosen = [
  "packages/auth/test/duration",
  "packages/auth-kit/test/known-keys",
  "packages/auth-htpasswd/test/linear",
];

/** The folder of a machine that has nothing but what every Debian has. */
let bare: string;

beforeAll(async () => {
  bare = await mkdtemp(join(tmpdir(), "registry-gate-bare-"));
  for (const name of ["sh", "tar", "chmod"] as const) await symlink(findProgram(name) ?? "", join(bare, name));
  // For a user without rights.
  await run("chmod", ["755", bare]);
});
afterAll(() => rm(bare, { recursive: true, force: true }));

/** `pnpm test` on that machine, as it is called by pnpm. */
async function pnpmTest(script: string, files: readonly string[], environment = {}): Promise<CommandResult> {
  const parameters = ["--conditions=development", join(workspace, `test/run/${script}.ts`), "--", ...files];
  // What the outer run has set for its own is not for the inner one.
  const own = { PATH: bare, CI: "", VITEST: "", TMPDIR: "/tmp", NO_COLOR: "1", ...environment };
  return runCommand(process.execPath, parameters, { directory: workspace, environment: own });
}

describe("pnpm test on a bare machine", () => {
  test("runs what can be run, and names what could not and how to have it", async () => {
    const { code, stdout } = await pnpmTest("main", chosen);
    expect(stdout).toMatch(/Test Files +2 passed/);
    expect(stdout).toContain("not run: 1 of 3 test files, for want of what they start\n");
    expect(stdout).toContain("  htpasswd  1 test file: install the Debian package apache2-utils\n");
    expect(stdout).toMatch(/^to run them.* apache2-utils$/m);
    expect(code).toBe(0);
  });

  test("fails under CI, and names what is missing", async () => {
    const { code, stdout } = await pnpmTest("main", chosen, { CI: "true" });
    expect(stdout).toMatch(/under CI nothing may be missing: htpasswd\n$/);
    expect(stdout).not.toContain("passed");
    expect(code).toBe(1);
  });

  test("is well where nothing of what was asked for can be run", async () => {
    const { code, stdout } = await pnpmTest("main", chosen.slice(2));
    expect(stdout).toMatch(/^not run: 1 of 1 test file, /);
    expect(code).toBe(0);
  });

  test("fails where no file is what was asked for", async () => {
    expect(await pnpmTest("main", ["no/such/file"])).toMatchObject({
      code: 1,
      stdout: expect.not.stringContaining("not run"),
    });
  });
});

test("pnpm test:unit runs what starts no process and no server", async () => {
  const others = ["packages/core/test/middleware/attach", "packages/watched-file/test/watch-files"];
  const { code, stdout } = await pnpmTest("unit", [...chosen, ...others]);
  expect(stdout).toMatch(/Test Files +2 passed/);
  expect(stdout).toMatch(/^2 of 5 test files; pnpm test runs all\n$/m);
  expect(code).toBe(0);
});

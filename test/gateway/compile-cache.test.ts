import { chmod, mkdir, mkdtemp, readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runGate } from "./run-gate.ts";

/** Runs `registry-gate --version` with caches in a directory, without the cache that the tests share. */
async function versionWith(environment: Readonly<Record<string, string>>): Promise<void> {
  const before = { ...process.env };
  for (const name of ["NODE_COMPILE_CACHE", "XDG_CACHE_HOME", "CACHE_DIRECTORY"]) delete process.env[name];
  try {
    expect(await runGate(["--version"], { environment })).toMatchObject({ code: 0, stderr: "" });
  } finally {
    process.env = before;
  }
}

async function newDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), "caches-"));
}

test("compiled code is kept where the user's caches are, for nobody else to read", async () => {
  const home = await newDirectory();
  await versionWith({ HOME: home });
  const directory = join(home, ".cache/registry-gate/compiled");
  expect(await readdir(directory)).toHaveLength(1);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
});

test("compiled code is kept in the directory that systemd gives", async () => {
  const [home, given] = [await newDirectory(), await newDirectory()];
  await versionWith({ HOME: home, CACHE_DIRECTORY: given });
  expect(await readdir(join(given, "compiled"))).toHaveLength(1);
  expect(await readdir(home)).toEqual([]);
});

test.each(["registry-gate/compiled", "registry-gate", ""])(
  "no compiled code is read or kept where others can write, at %j of the caches",
  async (open) => {
    const caches = await newDirectory();
    const directory = join(caches, "registry-gate/compiled");
    await mkdir(directory, { recursive: true });
    await chmod(join(caches, open), 0o777);
    await versionWith({ XDG_CACHE_HOME: caches });
    expect(await readdir(directory)).toEqual([]);
  },
);

test("a directory that cannot be made keeps no command from running", async () => {
  await versionWith({ HOME: "/dev/null" });
  await versionWith({ HOME: "relative" });
});

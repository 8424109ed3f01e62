import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { startable } from "./startable.ts";

test("gives the path of a program on the list", () => {
  expect(startable("sh")).toMatch(/^\/.*\/sh$/);
});

test("says which Debian package has a program that is missing", async () => {
  const empty = await mkdtemp(join(tmpdir(), "registry-gate-path-"));
  onTestFinished(() => rm(empty, { recursive: true, force: true }));
  vi.stubEnv("PATH", empty);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(() => startable("mkfifo")).toThrow("mkfifo is missing: install the Debian package coreutils");
});

test("finds administrators' programs where they are not on the path", () => {
  vi.stubEnv("PATH", "/usr/bin:/bin");
  onTestFinished(() => void vi.unstubAllEnvs());
  // Of the base system, so that there is one on every machine.
  expect(() => startable("sh")).not.toThrow();
});

test("refuses a program that is not on the list", () => {
  expect(() => startable("frobnicate")).toThrow("frobnicate is not in test/programs/programs.ts");
});

test("refuses a program that nothing in the test file names as a literal", () => {
  const hidden = ["t", "ar"].join("");
  expect(() => startable(hidden)).toThrow("nothing that this test file imports starts tar by a literal name");
});

test("takes the path of what tests brought, and not of what the machine has", () => {
  expect(startable(process.execPath)).toBe(process.execPath);
  expect(startable("/somewhere/node_modules/.bin/tsc")).toBe("/somewhere/node_modules/.bin/tsc");
  expect(() => startable("/usr/sbin/nginx")).toThrow("start it by its name");
});

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { guards } from "./guards.ts";
import { occurrences, workspace } from "./take-out.ts";

/** That each guard's removal fails its tests is shown by `pnpm guards`; here, that the list is one of today's code. */

test("every guard has a name of its own", () => {
  const names = guards.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

describe.each(guards)("the guard $name", ({ file, find, replacement, tests }) => {
  test("occurs exactly once in its file, and differs from its replacement", async () => {
    expect(occurrences(await readFile(join(workspace, file), "utf8"), find)).toBe(1);
    expect(replacement).not.toBe(find);
  });

  test("has tests that exist", () => {
    expect(tests.length).toBeGreaterThan(0);
    expect(tests.filter((path) => !path.endsWith(".test.ts") || !existsSync(join(workspace, path)))).toEqual([]);
  });
});

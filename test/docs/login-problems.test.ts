import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const workspace = resolve(import.meta.dirname, "../..");

test("every section that registry-gate why names is in the guide", async () => {
  const guide = await readFile(resolve(workspace, "docs/login-problems.md"), "utf8");
  const source = await readFile(resolve(workspace, "apps/gateway/src/why/next-steps.ts"), "utf8");
  const named = [...source.matchAll(/section: "([^"]+)"/g)].map(([, section]) => section);
  expect(named.length).toBeGreaterThan(5);
  const headings = guide.split("\n").flatMap((line) => (line.startsWith("## ") ? [line.slice(3)] : []));
  expect([...new Set(named)].filter((section) => !headings.includes(section ?? ""))).toEqual([]);
});

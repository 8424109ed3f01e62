import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { findingKinds } from "../src/doctor/finding-kinds.ts";

const workspace = resolve(import.meta.dirname, "../../..");
const page = readFileSync(join(workspace, "docs/doctor.md"), "utf8");

/** The rows of a table, below a heading. */
function rowsBelow(heading: string): readonly string[] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return section
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.replaceAll(/ {2,}/g, " "));
}

function rowsOf(severity: "failed" | "warning"): readonly string[] {
  return Object.entries(findingKinds)
    .filter(([, kind]) => kind.severity === severity)
    .map(([id, { breaks, mend }]) => `| \`${id}\` | ${breaks} | ${mend} |`);
}

describe("the page about doctor", () => {
  test.each([
    ["failed", "Failures"],
    ["warning", "Warnings"],
  ] as const)("has the same texts as the command for what is %s", (severity, heading) => {
    expect(rowsBelow(heading)).toEqual(rowsOf(severity));
  });
});

test("a test provokes each kind of finding", () => {
  const files = globSync(["test/doctor/*.test.ts", "apps/gateway/test/doctor-realm.test.ts"], { cwd: workspace });
  const tests = files.map((file) => readFileSync(join(workspace, file), "utf8")).join("\n");
  expect(Object.keys(findingKinds).filter((id) => !tests.includes(`"${id}"`))).toEqual([]);
});

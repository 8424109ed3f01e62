import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { guards } from "./guards.ts";
import { workspace } from "./take-out.ts";

/** The tables of what must never happen name every guard, and where it stands. */

interface Row {
  readonly what: string;
  readonly how: string;
  readonly files: readonly string[];
  readonly tests: readonly string[];
  readonly names: readonly string[];
}

const page = readFileSync(join(workspace, "docs/threat-model.md"), "utf8");
const rows = section("What must never happen").split("\n").flatMap(readRow);

function section(heading: string): string {
  const [, text = ""] = page.split(`\n## ${heading}\n`);
  return text.split("\n## ")[0] ?? "";
}

function readRow(line: string): Row[] {
  const [, what = "", how = "", where = "", tests = "", names = ""] = line.split("|").map((cell) => cell.trim());
  if (!line.startsWith("|") || names === "guards" || /^-+$/.test(names)) return [];
  return [{ what, how, files: spans(where), tests: spans(tests), names: spans(names) }];
}

function spans(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text);
}

test("every guard is in one row, and every guard of a row is in the list", () => {
  expect(rows.flatMap(({ names }) => names).sort()).toEqual(guards.map(({ name }) => name).sort());
});

test("lists each class of fault once", () => {
  expect(new Set(rows.map(({ what }) => what)).size).toBe(rows.length);
});

describe.each(rows)("$what:", ({ how, files, tests, names }) => {
  const own = guards.filter(({ name }) => names.includes(name));

  test("the row says how it is prevented, by which guards, and which tests fail without them", () => {
    expect([how, files, tests, names].filter(({ length }) => length === 0)).toEqual([]);
  });

  test("the row names the files of its guards and no others", () => {
    expect([...files].sort()).toEqual([...new Set(own.map(({ file }) => file))].sort());
  });

  test("the row names the tests of its guards, and others only where they exist", () => {
    expect(own.flatMap((guard) => guard.tests).filter((path) => !tests.includes(path))).toEqual([]);
    expect(tests.filter((path) => !path.endsWith(".test.ts") || !existsSync(join(workspace, path)))).toEqual([]);
  });
});

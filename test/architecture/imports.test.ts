import { describe, expect, it } from "vitest";
import { findCycle, importsOf, packageOf } from "./imports.ts";

describe("importsOf", () => {
  it.each([
    ['import { a } from "one";', ["one"]],
    ['import type { A } from "./one.ts";', ["./one.ts"]],
    ['import "one";', ["one"]],
    ['export { a } from "one";\nexport type * from "two";\nexport const b = 1;', ["one", "two"]],
    ['const a = await import("one");', ["one"]],
    ["const a = await import(name);", []],
    ['let a: import("one").A;\nlet b: typeof import("two");', ["one", "two"]],
    ['// import "one";\nconst a = \'import "two"\';', []],
  ])("reads %j", (source, expected) => {
    expect(importsOf("a.ts", source)).toEqual(expected);
  });

  it("throws where the source cannot be parsed", () => {
    expect(() => importsOf("a.ts", "import {")).toThrow(SyntaxError);
  });
});

describe("packageOf", () => {
  it.each([
    ["express", "express"],
    ["publint/utils", "publint"],
    ["@registry-gate/auth", "@registry-gate/auth"],
    ["@scope/name/file.js", "@scope/name"],
    ["node:fs", undefined],
    ["./a.ts", undefined],
    ["../a.ts", undefined],
  ])("reads %j", (specifier, expected) => {
    expect(packageOf(specifier)).toBe(expected);
  });
});

describe("findCycle", () => {
  it("finds no cycle where two files import the same third one", () => {
    const graph = new Map([
      ["a", ["b", "c"]],
      ["b", ["d"]],
      ["c", ["d"]],
      ["d", []],
    ]);
    expect(findCycle(graph)).toBeUndefined();
  });

  it("names the files of a cycle, and not those that lead to it", () => {
    const graph = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["b"]],
    ]);
    expect(findCycle(graph)).toEqual(["b", "c", "b"]);
  });

  it("finds a file that imports itself", () => {
    expect(findCycle(new Map([["a", ["a"]]]))).toEqual(["a", "a"]);
  });
});

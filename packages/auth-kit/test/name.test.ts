import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readGroupName, readGroups, readName, readText } from "../src/index.ts";

describe("a name", () => {
  test.each([
    ["", "is empty"],
    ["a".repeat(513), "is longer than 512 characters"],
    ["\ud800", "is not well-formed Unicode"],
    [`a${"\u0301".repeat(31)}`, "holds more than 30 combining marks in a row"],
    ["a\u0000b", "holds a control character"],
    ["a\u0085b", "holds a control character"],
    ["a\u2028b", "holds a control character"],
    ["a\u200bb", "holds an invisible character"],
    ["a\u00adb", "holds an invisible character"],
    ["\ufeffa", "holds an invisible character"],
    [" a", "has white space at an end"],
    ["a\u00a0", "has white space at an end"],
  ])("%j %s", (name, fault) => {
    expect(readName(name)).toEqual({ fault });
  });

  test("is read in Normalization Form C, with whatever can be seen in it", () => {
    expect(readName("zo\u0065\u0301")).toEqual({ text: "zo\u00e9" });
    expect(readName("Doe, John (R&D)")).toEqual({ text: "Doe, John (R&D)" });
    expect(readName("a".repeat(512))).toEqual({ text: "a".repeat(512) });
  });

  test.each(["robot$ci", "ROBOT$ci", "robot$"])("is not %j, which is a robot's", (name) => {
    expect(readName(name)).toEqual({ fault: "is reserved for robots" });
    expect(readGroupName(name)).toEqual({ name });
  });

  test("that a person only reads may have invisible characters, which some scripts need", () => {
    expect(readText("\u0646\u0645\u06cc\u200c\u062f\u0627\u0646\u0645")).toHaveProperty("text");
    expect(readText("a\nb")).toEqual({ fault: "holds a control character" });
  });

  test("that is accepted is accepted as what it was read as", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (written) => {
        const { text } = readName(written);
        if (text !== undefined) expect(readName(text)).toEqual({ text });
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the name of a group", () => {
  test.each([
    [" a ", "a"],
    ["a\n", "a"],
    ["\u00a0a", "a"],
    ["cn=a,dc=example", "cn=a,dc=example"],
  ])("%j is %j", (written, name) => {
    expect(readGroupName(written)).toEqual({ name });
  });

  test.each([
    ["admins\u200b", ["admins\u200b", "admins"]],
    ["\ufeffadmins", ["\ufeffadmins", "admins"]],
    ["ad\u0007mins ", ["ad\u0007mins", "admins"]],
    ["a".repeat(513), ["a".repeat(513)]],
    ["\u200b", ["\u200b"]],
    [
      `a${"\u0301".repeat(30)}\u200b${"\u0301".repeat(30)}`,
      [`\u00e1${"\u0301".repeat(29)}\u200b${"\u0301".repeat(30)}`],
    ],
    ["\ud800", []],
    [`a${"\u0301".repeat(100_000)}`, []],
  ])("that no rule can allow is for rules that deny what it may mean: %j", (written, possibleNames) => {
    expect(readGroupName(written)).toMatchObject({ fault: expect.any(String), possibleNames });
  });

  test("is either certain, or possible, but not nothing where it can be compared", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 20 }), (written) => {
        const reading = readGroupName(written);
        if (reading.fault === undefined) expect(reading.name).toBe(written.trim().normalize("NFC"));
        else for (const name of reading.possibleNames) expect(name).toBe(name.normalize("NFC"));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("groups", () => {
  test("are read one by one: an unusable one locks nobody out", () => {
    expect(readGroups(["a", " a ", "", "b\u0000", 7, null, { name: "c" }])).toEqual({
      groups: ["a"],
      ambiguous: ["b\u0000", "b", "7"],
      skipped: ["holds a control character", "is a number", "is not a string"],
    });
  });

  test("that are certain are not ambiguous as well", () => {
    expect(readGroups(["admins\u200b", "admins"])).toMatchObject({ groups: ["admins"], ambiguous: ["admins\u200b"] });
  });

  test("beyond the first thousand count for rules that deny", () => {
    const names = Array.from({ length: 1002 }, (_, index) => `g${index}`);
    expect(readGroups([...names, "g0"])).toEqual({
      groups: names.slice(0, 1000),
      ambiguous: names.slice(1000),
      skipped: ["is beyond the first 1000"],
    });
  });
});

import { expect, test } from "vitest";
import { isGoAtLeast } from "./lack.ts";

test.each([
  ["go1.26.8", "1.26", true],
  ["go1.26.8", "1.26.7", true],
  ["go1.26.7", "1.26.7", true],
  ["go1.26.6", "1.26.7", false],
  ["go1.26", "1.26.7", false],
  ["go1.27", "1.26.7", true],
  ["go1.9.7", "1.26", false],
  ["go2.0", "1.26.7", true],
  ["devel", "1.26", false],
])("compares %s with the oldest Go that builds a program, %s", (version, least, expected) => {
  expect(isGoAtLeast(version, least)).toBe(expected);
});

test("rejects an oldest Go that is not a version", () => {
  expect(() => isGoAtLeast("go1.26.8", "latest")).toThrow(RangeError);
});

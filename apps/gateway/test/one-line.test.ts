import { expect, test } from "vitest";
import { oneLine } from "../src/one-line.ts";

test.each<[thrown: unknown, line: string]>([
  [new Error(" no room\r\nat secret.ts:1"), "no room"],
  [new RangeError(""), "RangeError"],
  ["no room\nsecret", "no room"],
])("says of %o in one line %j", (thrown, line) => {
  expect(oneLine(thrown)).toBe(line);
});

test.each([{ toString: () => "secret" }, ["secret"], new Map([["secret", 1]]), 5, null, undefined])(
  "says nothing of %o, which is no error",
  (thrown) => {
    expect(oneLine(thrown)).toBe("a value that is not an Error was thrown");
  },
);

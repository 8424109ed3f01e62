import { expect, test } from "vitest";
import { isExposed } from "../src/exposed-file.ts";

const own = 1000;

test.each([
  [0o100600, own, false],
  [0o100640, own, true],
  [0o100644, own, true],
  [0o100604, own, true],
  // As a Secret of Kubernetes is mounted with fsGroup.
  [0o100440, 0, false],
  [0o100444, 0, true],
])("tells whether others can read a key file of mode %o and of the user %i: %s", (mode, uid, expected) => {
  expect(isExposed({ mode, uid }, own)).toBe(expected);
});

test("knows nothing of modes on Windows", () => {
  expect(isExposed({ mode: 0o100666, uid: 0 }, undefined)).toBe(false);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { remembered } from "../../src/grammar/remembered.ts";

test("caches the latest values, and returns the same as the grammar", () => {
  let reads = 0;
  const grammar = remembered((value) => {
    reads++;
    return value.startsWith("x") ? undefined : value.toUpperCase();
  });
  const say = (value: string): void => {
    expect(grammar(value)).toBe(value.startsWith("x") ? undefined : value.toUpperCase());
  };
  for (let round = 0; round < 10; round++) for (const value of ["a", "b", "c"]) say(value);
  expect(reads).toBe(3);
  // What is outside the grammar, and what is long, is read each time.
  for (let round = 0; round < 10; round++) for (const value of ["x", "a".repeat(1025)]) say(value);
  expect(reads).toBe(23);
  // More values than are remembered make it forget.
  for (let value = 0; value < 128; value++) say(`v${value}`);
  expect(reads).toBe(23 + 128);
  say("a");
  expect(reads).toBe(23 + 129);
  fc.assert(fc.property(fc.string(), say));
});

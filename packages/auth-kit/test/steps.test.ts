import { expect, test } from "vitest";
import { atOnce, inTurns, type Steps } from "../src/waiting/steps.ts";

function* counting(steps: number, milliseconds = 0): Steps<number> {
  for (let step = 0; step < steps; step++) {
    const end = performance.now() + milliseconds;
    while (performance.now() < end) {}
    yield;
  }
  return steps;
}

function* failing(): Steps<number> {
  yield;
  throw new Error("no further");
}

test("all steps are taken, at once or in turns", async () => {
  expect(atOnce(counting(1000))).toBe(1000);
  expect(await inTurns(counting(1000))).toBe(1000);
});

test("between turns others have theirs", async () => {
  let others = 0;
  const timer = setInterval(() => others++, 1);
  await inTurns(counting(20, 2));
  clearInterval(timer);
  expect(others).toBeGreaterThan(1);
});

test("what a step throws is thrown", async () => {
  expect(() => atOnce(failing())).toThrow("no further");
  await expect(inTurns(failing())).rejects.toThrow("no further");
});

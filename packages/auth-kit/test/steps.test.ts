import { setImmediate } from "node:timers";
import { setImmediate as nextRound } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { atOnce, inTurns, type Steps } from "../src/waiting/steps.ts";

function* counting(steps: number, onStep: () => void = () => {}): Steps<number> {
  for (let step = 0; step < steps; step++) {
    onStep();
    yield;
  }
  return steps;
}

function* failing(): Steps<number> {
  yield;
  throw new Error("no further");
}

/** A clock by which each step takes a millisecond, and the most steps that were taken in one round of the event loop. */
async function countRounds(): Promise<{ onStep: () => void; most: () => number; rounds: () => number }> {
  // The turn of the test before has ended.
  await nextRound();
  vi.useFakeTimers({ toFake: ["performance"] });
  const counts: number[] = [0];
  let counted = true;
  const round = (): void => {
    counts.push(0);
    if (counted) setImmediate(round);
  };
  setImmediate(round);
  onTestFinished(() => {
    counted = false;
    vi.useRealTimers();
  });
  return {
    onStep() {
      vi.advanceTimersByTime(1);
      counts.push((counts.pop() ?? 0) + 1);
    },
    most: () => Math.max(...counts),
    rounds: () => counts.filter((count) => count > 0).length,
  };
}

test("all steps are taken, at once or in turns", async () => {
  expect(atOnce(counting(1000))).toBe(1000);
  expect(await inTurns(counting(1000))).toBe(1000);
});

test("between turns others have theirs", async () => {
  const { onStep, most, rounds } = await countRounds();
  await inTurns(counting(20, onStep));
  expect(most()).toBeLessThanOrEqual(4);
  expect(rounds()).toBeGreaterThanOrEqual(5);
});

test("all work that is in progress shares the turns", async () => {
  const { onStep, most } = await countRounds();
  const results = await Promise.all([10, 20, 30, 1].map((steps) => inTurns(counting(steps, onStep))));
  expect(results).toEqual([10, 20, 30, 1]);
  expect(most()).toBeLessThanOrEqual(4);
});

test("work that follows other work at once shares its turn", async () => {
  const { onStep, most } = await countRounds();
  for (let piece = 0; piece < 10; piece++) await inTurns(counting(3, onStep));
  // The last piece may begin within a turn.
  expect(most()).toBeLessThanOrEqual(4 + 2);
});

test("work comes to an end beside other work that is without end", async () => {
  let ended = false;
  function* endless(): Steps<void> {
    while (!ended) yield;
  }
  const other = inTurns(endless());
  expect(await inTurns(counting(1000))).toBe(1000);
  ended = true;
  await other;
});

test("little work is done at once", () => {
  let steps = 0;
  void inTurns(counting(3, () => steps++));
  expect(steps).toBe(3);
});

test("what a step throws is thrown", async () => {
  expect(() => atOnce(failing())).toThrow("no further");
  await expect(inTurns(failing())).rejects.toThrow("no further");
});

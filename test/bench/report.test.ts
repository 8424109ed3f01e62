import { describe, expect, test } from "vitest";
import { formatFindings, isKept } from "./report.ts";
import { interleave, median, medianRatio } from "./rounds.ts";

describe("a limit", () => {
  test.each([
    [0.99, { atLeast: 1 }, false],
    [1, { atLeast: 1 }, true],
    [32, { atMost: 32 }, true],
    [32.01, { atMost: 32 }, false],
    [Number.NaN, { atLeast: 1 }, false],
    [Number.NaN, { atMost: 32 }, false],
  ])("of %d, bound %j, is kept: %s", (value, bound, kept) => {
    expect(isKept({ name: "", value, bound })).toBe(kept);
  });

  test("that is missed stands out in the report", () => {
    const table = [
      ["", "MB/s"],
      ["gate", "9"],
      ["recipe", "1000"],
    ];
    const limits = [
      { name: "a rate", value: 0.5, bound: { atLeast: 1 } },
      { name: "memory", value: 3, bound: { atMost: 32 } },
    ];
    expect(formatFindings({ title: "Blobs", table, limits })).toBe(`Blobs

          MB/s
  gate       9
  recipe  1000

  MISSED  a rate  0.50  at least 1
  kept    memory  3.00  at most 32
`);
  });
});

describe("rounds", () => {
  test("have every contender once, and another one first each time", async () => {
    const order: string[] = [];
    const samples = await interleave(["a", "b", "c"], 3, async (contender) => {
      order.push(contender);
      return `${contender}${order.length}`;
    });
    expect(order.join("")).toBe("abcbcacab");
    expect(samples).toEqual([
      ["a1", "a6", "a8"],
      ["b2", "b4", "b9"],
      ["c3", "c5", "c7"],
    ]);
  });

  test("are compared one by one, so that a slow moment of the machine does not count", () => {
    expect(median([5, 1, 9])).toBe(5);
    expect(medianRatio([2, 20, 200], [1, 10, 1])).toBe(2);
  });
});

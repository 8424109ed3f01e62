import { describe, expect, test } from "vitest";
import { atLeast, atMost, isKept } from "./findings.ts";
import { formatFindings } from "./report.ts";
import { interleave, median, ratios, spread } from "./rounds.ts";

describe("a limit", () => {
  test.each([
    [atLeast(1, "", 0.99), false],
    [atLeast(1, "", 1), true],
    [atMost(32, "", 32), true],
    [atMost(32, "", 32.01), false],
    [atLeast(1, "", [0.9, 0.9, 1]), false],
    [atLeast(1, "", [0.9, 1, 1]), true],
    [atLeast(1, "", []), false],
    [atMost(32, "", []), false],
    [atMost(32, "", Number.NaN), false],
  ])("%j is kept: %s", (limit, kept) => {
    expect(isKept(limit)).toBe(kept);
  });

  test("that is missed stands out in the report", () => {
    expect(
      formatFindings({
        id: "blobs",
        title: "Blobs",
        columns: [
          { id: "rate", label: "MB/s", digits: 0, better: "more" },
          { id: "memory", label: "peak MiB", digits: 1, better: "less" },
        ],
        rows: [
          { name: "gate", own: true, samples: { rate: [9, 8, 1200], memory: [80.04] } },
          { name: "recipe", samples: { rate: [1000, 1001, 999] } },
        ],
        limits: [atLeast(1, "a rate", [0.5, 0.1, 0.6]), atMost(32, "memory", 3)],
        notes: ["oauth2-proxy is left out: no Go"],
      }),
    ).toBe(`Blobs

           MB/s    min–max  peak MiB
  gate        9    8–1,200      80.0
  recipe  1,000  999–1,001

  MISSED  a rate  0.50  at least 1
  kept    memory  3.00  at most 32

  oauth2-proxy is left out: no Go
`);
  });
});

describe("rounds", () => {
  test("have every contender once, and another one first each time", async () => {
    const order: string[] = [];
    const samples = await interleave(["a", "b", "c"], { rounds: 3, progress: () => {} }, async (contender) => {
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
    expect(median(ratios([2, 20, 200], [1, 10, 1]))).toBe(2);
  });

  test("have a spread from the least to the most", () => {
    expect(spread([5, 1, 9])).toEqual({ least: 1, most: 9 });
  });
});

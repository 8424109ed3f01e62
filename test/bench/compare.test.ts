import { describe, expect, test } from "vitest";
import { compareRuns, comparisonWarnings, formatChanges } from "./compare.ts";
import { fixedFindings, fixedRun, withSamples } from "./fixed-run.ts";

const verdictOf = (row: string, column: string, samples: readonly number[]): string | undefined =>
  compareRuns(fixedRun, withSamples(row, column, samples)).find(
    (change) => change.name === row && change.column.id === column,
  )?.verdict;

describe("a run against an earlier one", () => {
  test.each([
    ["rate", [9000, 9100, 9200], "worse"],
    ["rate", [11_000, 11_100, 11_200], "better"],
    ["rate", [9000, 9100, 9900], undefined],
    ["p99", [2.3, 2.4, 2.5], "worse"],
    ["p99", [1.7, 1.8, 1.9], "better"],
    ["p99", [1.7, 1.8, 2], undefined],
  ])("with a %s of %j is judged by the spread of both: %s", (column, samples, verdict) => {
    expect(verdictOf("gate", column, samples)).toBe(verdict);
  });

  test("does not judge by less than three hundredths, however near the rounds are", () => {
    expect(verdictOf("recipe, <apr1>", "rate", [2399, 2399, 2399])).toBe("worse");
    const steady = withSamples("gate", "rate", [1000]);
    const lower = withSamples("gate", "rate", [975]);
    expect(compareRuns(steady, lower).map(({ verdict }) => verdict)).toEqual([undefined, undefined, undefined]);
  });

  test("compares what both have, and what can be better", () => {
    const added = { ...fixedFindings, id: "new" };
    const renamed = { ...fixedRun, findings: [added, ...fixedRun.findings] };
    const changes = compareRuns(fixedRun, renamed);
    expect(changes.map(({ name, column }) => `${name}: ${column.id}`)).toEqual([
      "gate: rate",
      "gate: p99",
      "recipe, <apr1>: rate",
    ]);
  });

  test("shows ratios, with a mark at what is worse", () => {
    expect(
      formatChanges(compareRuns(fixedRun, withSamples("gate", "p99", [3, 3.15, 3.3]))),
    ).toBe(`GET of a manifest, plain HTTP, 16 connections

                              before     now  now ÷ before
  gate            requests/s  10,000  10,000          1.00
  gate            p99 ms        2.10    3.15          1.50  WORSE
  recipe, <apr1>  requests/s   2,500   2,500          1.00
`);
  });

  test("warns where the machines or the sizes differ", () => {
    const elsewhere = { ...fixedRun, quick: false, machine: { ...fixedRun.machine, cores: 8 } };
    expect(comparisonWarnings(elsewhere, fixedRun)).toEqual([
      "one of the two runs is quick, the other is not",
      "cores: 8 before, 2 now",
    ]);
    expect(comparisonWarnings(fixedRun, fixedRun)).toEqual([]);
  });
});

import { expect, test } from "vitest";
import { disturbances } from "./disturbances.ts";
import { formatReport } from "./report.ts";
import { soak } from "./soak.ts";

const minutes = 5;

test(
  "loses no push, serves nobody else, audits every write once and does not grow, whatever is taken away meanwhile",
  async () => {
    const report = await soak(minutes, () => {});
    process.stdout.write(`${formatReport(report)}\n`);
    expect(report.violations).toEqual([]);
    // It has been a soak: people worked all the time, and everything happened.
    expect(report.writes.length).toBeGreaterThan(100);
    expect(report.pulls).toBeGreaterThan(report.images);
    expect([...report.disturbances.keys()].sort()).toEqual([...new Set(disturbances.map(({ name }) => name))].sort());
  },
  (minutes + 5) * 60_000,
);

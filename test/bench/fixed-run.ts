import { atLeast, atMost, type Findings } from "./findings.ts";
import type { RunRecord } from "./run-record.ts";

/** Findings that were never measured, for tests of what is made of them. */
export const fixedFindings: Findings = {
  id: "reads.plain.16",
  title: "GET of a manifest, plain HTTP, 16 connections",
  columns: [
    { id: "rate", label: "requests/s", digits: 0, better: "more" },
    { id: "ratio", label: "first ÷ it", digits: 2 },
    { id: "p99", label: "p99 ms", digits: 2, better: "less" },
  ],
  rows: [
    { name: "gate", own: true, samples: { rate: [10_000, 10_500, 9900], ratio: [1, 1, 1], p99: [2, 2.1, 2.2] } },
    { name: "recipe, <apr1>", samples: { rate: [2500, 2600, 2400], ratio: [4, 4.04, 4.125] } },
  ],
  limits: [atLeast(4, "rate ÷ recipe", [4, 4.04, 4.125]), atMost(2, "p99 ms", [2, 2.1, 2.2])],
  notes: ["oauth2-proxy is left out: Go 1.26 or newer is missing"],
};

export const fixedRun: RunRecord = {
  schema: "registry-gate-bench",
  version: 1,
  startedAt: "2026-11-28T08:00:00.000Z",
  seconds: 61.4,
  quick: true,
  machine: {
    cores: 2,
    processor: "A Processor",
    memory: 7933,
    linux: "6.1.0",
    node: "26.10.0",
    programs: { nginx: "1.22.1", wrk: "4.1.0" },
    load: 0.5,
    busy: 0.02,
  },
  findings: [fixedFindings],
};

/** The same run, but with other samples of one figure. */
export function withSamples(row: string, column: string, samples: readonly number[]): RunRecord {
  const rows = fixedFindings.rows.map((each) =>
    each.name === row ? { ...each, samples: { ...each.samples, [column]: samples } } : each,
  );
  return { ...fixedRun, findings: [{ ...fixedFindings, rows }] };
}

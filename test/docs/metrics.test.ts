import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { allMetrics } from "../../apps/gateway/src/admin/metrics/all-metrics.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../docs/metrics.md"), "utf8");
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| `registry_gate_"))
  .map((line) => line.split("|").map((cell) => cell.trim()));
const spans = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span);

describe("the table in docs/metrics.md", () => {
  it("has every metric with its type and labels, each once", () => {
    const documented = rows.flatMap(([, name, type, labels, meaning]) =>
      meaning === undefined || meaning === "" ? [] : [{ name: spans(name)[0], type, labels: spans(labels) }],
    );
    const byName = (one: { name?: string | undefined }, other: { name?: string | undefined }): number =>
      String(one.name).localeCompare(String(other.name));
    expect(documented.sort(byName)).toEqual(
      allMetrics.map(({ name, kind, labels }) => ({ name, type: kind, labels })).sort(byName),
    );
  });

  it("says of every gauge that is not summed what becomes of several processes", () => {
    const words = { "the largest": "max", "the smallest": "min" } as const;
    const documented = rows.flatMap(([, name, across = ""]) =>
      across in words ? [[spans(name)[0], words[across === "the largest" ? across : "the smallest"]]] : [],
    );
    const others = allMetrics.flatMap((metric) =>
      metric.kind === "gauge" && metric.across !== "sum" ? [[metric.name, metric.across]] : [],
    );
    expect(documented.sort()).toEqual(others.sort());
  });
});

describe("the metrics", () => {
  it("have names and suffixes as Prometheus recommends", () => {
    for (const { name, kind, unit } of allMetrics) {
      expect(name).toMatch(/^registry_gate_[a-z]+(?:_[a-z]+)*$/);
      expect(name.endsWith("_total"), name).toBe(kind === "counter");
      expect(/_seconds(?:_total)?$/.test(name), name).toBe(unit === "s");
      expect(/_bytes(?:_total)?$/.test(name), name).toBe(unit === "By");
    }
  });
});

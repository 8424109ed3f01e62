/** What is measured, and how it is shown. Names and labels are public: `docs/metrics.md` has them all. */
export type Metric = CounterMetric | GaugeMetric | HistogramMetric;

interface MetricBase {
  /** As Prometheus shows it. */
  readonly name: string;
  readonly help: string;
  /** In UCUM, as OpenTelemetry has units: `s`, `By`, or none. */
  readonly unit: "" | "s" | "By";
  /** The names of its labels. Their values must be few. */
  readonly labels: readonly string[];
}

/** Only ever grows. The counts of several processes are added. */
export interface CounterMetric extends MetricBase {
  readonly kind: "counter";
}

/** Goes up and down. */
export interface GaugeMetric extends MetricBase {
  readonly kind: "gauge";
  /** What becomes of the values of several processes. */
  readonly across: "sum" | "max" | "min";
}

/** Counts values by their size. The counts of several processes are added. */
export interface HistogramMetric extends MetricBase {
  readonly kind: "histogram";
  /** Upper bounds, ascending; what is above the last is counted as well. */
  readonly bounds: readonly number[];
}

/** @param name Ends in `_total`. */
export function counter(
  name: string,
  help: string,
  labels: readonly string[] = [],
  unit: Metric["unit"] = "",
): CounterMetric {
  return { kind: "counter", name, help, labels, unit };
}

export function gauge(
  name: string,
  help: string,
  across: GaugeMetric["across"],
  labels: readonly string[] = [],
  unit: Metric["unit"] = "",
): GaugeMetric {
  return { kind: "gauge", name, help, labels, unit, across };
}

/** Of durations in seconds. @param name Ends in `_seconds`. */
export function durations(
  name: string,
  help: string,
  labels: readonly string[],
  bounds: readonly number[],
): HistogramMetric {
  return { kind: "histogram", name, help, labels, unit: "s", bounds };
}

import type { GaugeMetric, Metric } from "./metric.ts";

/** What one process, or several together, have measured. It is plain JSON, so that processes can send it to each other. */
export interface Snapshot {
  /** Since when, in milliseconds since the epoch. */
  readonly started: number;
  /** By the names of the metrics. */
  readonly metrics: Readonly<Record<string, readonly SeriesSnapshot[]>>;
}

/** One combination of labels. */
export type SeriesSnapshot = ValueSnapshot | HistogramSnapshot;

export interface ValueSnapshot {
  /** The values of the labels, in the order of the metric's. */
  readonly labels: readonly string[];
  readonly value: number;
}

export interface HistogramSnapshot {
  readonly labels: readonly string[];
  readonly count: number;
  readonly sum: number;
  /** For each bound how many values are up to it and above the one before; at the end, how many are above the last. */
  readonly buckets: readonly number[];
}

/**
 * Adds up what several processes have measured: counters and histograms are added, gauges as the metric says.
 *
 * @param metrics Others in the snapshots are left out.
 */
export function combineSnapshots(snapshots: readonly Snapshot[], metrics: readonly Metric[]): Snapshot {
  const combined: Record<string, SeriesSnapshot[]> = {};
  for (const metric of metrics) {
    const all = new Map<string, SeriesSnapshot>();
    for (const series of snapshots.flatMap((snapshot) => snapshot.metrics[metric.name] ?? [])) {
      const key = JSON.stringify(series.labels);
      const before = all.get(key);
      all.set(key, before === undefined ? series : combine(before, series, metric));
    }
    if (all.size > 0) combined[metric.name] = [...all.values()];
  }
  return { started: Math.min(...snapshots.map(({ started }) => started), Date.now()), metrics: combined };
}

/**
 * What remains of the measurements of a process that has ended: counters and histograms, which must not become less when it
 * is gone. Gauges end with it.
 */
export function lastingPart({ started, metrics }: Snapshot, known: readonly Metric[]): Snapshot {
  const lasting = known.filter(({ kind, name }) => kind !== "gauge" && metrics[name] !== undefined);
  return { started, metrics: Object.fromEntries(lasting.map(({ name }) => [name, metrics[name] ?? []])) };
}

function combine(one: SeriesSnapshot, other: SeriesSnapshot, metric: Metric): SeriesSnapshot {
  const { labels } = one;
  if ("buckets" in one && "buckets" in other) {
    const buckets = one.buckets.map((count, index) => count + (other.buckets[index] ?? 0));
    return { labels, count: one.count + other.count, sum: one.sum + other.sum, buckets };
  }
  if ("buckets" in one || "buckets" in other) return one;
  const how = metric.kind === "gauge" ? metric.across : "sum";
  return { labels, value: combineValues[how](one.value, other.value) };
}

const combineValues: Readonly<Record<GaugeMetric["across"], (one: number, other: number) => number>> = {
  sum: (one, other) => one + other,
  max: Math.max,
  min: Math.min,
};

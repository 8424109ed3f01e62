import type { CounterMetric, GaugeMetric, HistogramMetric, Metric } from "./metric.ts";
import type { SeriesSnapshot, Snapshot } from "./snapshot.ts";

/** One combination of labels of a counter or a gauge. */
export interface Value {
  value: number;
}

/** One combination of labels of a histogram. */
export interface Distribution {
  observe(value: number): void;
}

/**
 * What one process measures: plain numbers, because a request has many of them. OpenTelemetry is given a snapshot when
 * somebody looks.
 */
export interface MetricStore {
  /** The value for these labels, to be changed by the caller. Look it up once where it is used often. */
  value(metric: CounterMetric | GaugeMetric, ...labels: readonly string[]): Value;
  distribution(metric: HistogramMetric, ...labels: readonly string[]): Distribution;
  /** Forgets the values of a gauge, before they are set anew. */
  clear(metric: GaugeMetric): void;
  /** Calls `measure` before each snapshot. */
  onSnapshot(measure: () => void): void;
  snapshot(): Snapshot;
}

/**
 * How many combinations of labels a metric can have. Further ones are counted together as `other`: where backends are
 * renamed by reload after reload, each name would stay.
 */
const maxSeries = 2000;

interface Series extends Value, Distribution {
  snapshot(): SeriesSnapshot;
}

export function metricStore(): MetricStore {
  const started = Date.now();
  const tables = new Map<Metric, Map<string, Series>>();
  const measurements: (() => void)[] = [];

  function find(metric: Metric, labels: readonly string[]): Series {
    let table = tables.get(metric);
    if (table === undefined) {
      table = new Map();
      tables.set(metric, table);
    }
    const key = labels.join("\0");
    const known = table.get(key);
    if (known !== undefined) return known;
    if (table.size >= maxSeries && labels.length > 0) {
      const other = metric.labels.map(() => "other");
      if (labels.some((label) => label !== "other")) return find(metric, other);
    }
    const made = createSeries(metric, labels);
    table.set(key, made);
    return made;
  }

  return {
    value: (metric, ...labels) => find(metric, labels),
    distribution: (metric, ...labels) => find(metric, labels),
    clear: (metric) => tables.delete(metric),
    onSnapshot: (measure) => void measurements.push(measure),
    snapshot() {
      for (const measure of measurements) measure();
      const metrics = [...tables].map(([{ name }, table]) => [
        name,
        [...table.values()].map((series) => series.snapshot()),
      ]);
      return { started, metrics: Object.fromEntries(metrics) };
    },
  };
}

function createSeries(metric: Metric, labels: readonly string[]): Series {
  const bounds = metric.kind === "histogram" ? metric.bounds : [];
  const buckets = Array.from({ length: bounds.length + 1 }, () => 0);
  let [count, sum] = [0, 0];
  return {
    value: 0,
    observe(value) {
      let bucket = 0;
      while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
      count++;
      sum += value;
    },
    snapshot() {
      if (metric.kind !== "histogram") return { labels, value: this.value };
      return { labels, count, sum, buckets: [...buckets] };
    },
  };
}

import { type HrTime, ValueType } from "@opentelemetry/api";
import { AggregationTemporality, type DataPoint, DataPointType, type MetricData } from "@opentelemetry/sdk-metrics";
import type { Metric } from "./metric.ts";
import type { SeriesSnapshot, Snapshot } from "./snapshot.ts";

/**
 * A snapshot in OpenTelemetry's form.
 *
 * @param withUnits Prometheus has its units in the names, and wants no other.
 */
export function metricData(
  { started, metrics: measured }: Snapshot,
  metrics: readonly Metric[],
  withUnits: boolean,
): MetricData[] {
  const times = { startTime: instant(started), endTime: instant(Date.now()) };
  return metrics.flatMap((metric) => {
    const series = measured[metric.name] ?? [];
    return series.length === 0 ? [] : [dataOf(metric, series, times, withUnits)];
  });
}

type Times = Pick<DataPoint<unknown>, "startTime" | "endTime">;

function dataOf(metric: Metric, series: readonly SeriesSnapshot[], times: Times, withUnits: boolean): MetricData {
  const descriptor = {
    // OpenTelemetry has counters without the suffix, which exporters for Prometheus add.
    name: metric.kind === "counter" ? metric.name.replace(/_total$/, "") : metric.name,
    description: metric.help,
    unit: withUnits ? metric.unit : "",
    valueType: ValueType.DOUBLE,
  };
  const common = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  if (metric.kind === "histogram") {
    const dataPoints = series.flatMap((each) => {
      if (!("buckets" in each)) return [];
      const { labels, count, sum, buckets } = each;
      const value = { count, sum, buckets: { boundaries: [...metric.bounds], counts: [...buckets] } };
      return [{ ...times, attributes: attributesOf(metric, labels), value }];
    });
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints };
  }
  const dataPoints = series.flatMap((each) =>
    "value" in each ? [{ ...times, attributes: attributesOf(metric, each.labels), value: each.value }] : [],
  );
  return metric.kind === "counter"
    ? { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    : { ...common, dataPointType: DataPointType.GAUGE, dataPoints };
}

function attributesOf({ labels: names }: Metric, values: readonly string[]): Record<string, string> {
  const pairs = names.map((name, index) => [name, values[index] ?? ""] as const);
  // For Prometheus, an empty label is none.
  return Object.fromEntries(pairs.filter(([, value]) => value !== ""));
}

function instant(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
}

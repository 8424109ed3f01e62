import type { Metric } from "./metric.ts";
import * as metrics from "./metrics.ts";

export const allMetrics: readonly Metric[] = Object.values(metrics);

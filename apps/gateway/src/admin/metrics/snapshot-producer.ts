import {
  defaultResource,
  detectResources,
  type Resource,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from "@opentelemetry/resources";
import type { MetricProducer } from "@opentelemetry/sdk-metrics";
import { allMetrics } from "./all-metrics.ts";
import { metricData } from "./metric-data.ts";
import type { Snapshot } from "./snapshot.ts";

/** Passes snapshots to a reader of OpenTelemetry, in place of what an SDK measures by itself. */
export function snapshotProducer(
  resource: Resource,
  collect: () => Promise<Snapshot>,
  withUnits: boolean,
): MetricProducer {
  return {
    async collect() {
      const scope = { name: "registry-gate" };
      const scopeMetrics = [{ scope, metrics: metricData(await collect(), allMetrics, withUnits) }];
      return { resourceMetrics: { resource, scopeMetrics }, errors: [] };
    },
  };
}

/** What the metrics are about: the service, with what the standard environment variables add. */
export function gateResource(version: string): Resource {
  return defaultResource()
    .merge(resourceFromAttributes({ "service.name": "registry-gate", "service.version": version }))
    .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }));
}

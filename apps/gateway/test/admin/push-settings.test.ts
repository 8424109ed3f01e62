import { expect, it } from "vitest";
import { pushSettings } from "../../src/admin/metrics/push-settings.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
const defaults = { interval: 60_000, timeout: 30_000 };

it.each([
  [{}, undefined],
  [endpoint, defaults],
  [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://collector:4318/v1/metrics" }, defaults],
  [{ OTEL_METRICS_EXPORTER: "otlp" }, defaults],
  [{ OTEL_METRICS_EXPORTER: "prometheus, otlp" }, defaults],
  [{ ...endpoint, OTEL_METRICS_EXPORTER: "none" }, undefined],
  [{ ...endpoint, OTEL_METRICS_EXPORTER: "prometheus" }, undefined],
  [{ ...endpoint, OTEL_SDK_DISABLED: "TRUE" }, undefined],
  [{ ...endpoint, OTEL_SDK_DISABLED: "false" }, defaults],
  [
    { ...endpoint, OTEL_METRIC_EXPORT_INTERVAL: "10000" },
    { interval: 10_000, timeout: 10_000 },
  ],
  [{ ...endpoint, OTEL_METRIC_EXPORT_INTERVAL: "often", OTEL_METRIC_EXPORT_TIMEOUT: "0" }, defaults],
  [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, expect.stringContaining("grpc")],
  [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc", OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/json" }, defaults],
])("reads the environment %j", (environment, settings) => {
  expect(pushSettings(environment)).toEqual(settings);
});

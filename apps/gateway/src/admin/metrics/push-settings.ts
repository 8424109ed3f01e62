type Environment = Readonly<Record<string, string | undefined>>;

/** How metrics are pushed by OTLP. What is not here, such as the endpoint, the exporter reads by itself. */
export interface PushSettings {
  /** How often, in milliseconds. */
  readonly interval: number;
  /** How long a push may take, in milliseconds. */
  readonly timeout: number;
}

/**
 * Whether the standard environment variables of OpenTelemetry ask for metrics to be pushed.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 * @returns settings; a text that says why that is not possible; or `undefined` where nobody asks.
 */
export function pushSettings(environment: Environment): PushSettings | string | undefined {
  const read = (name: string): string => environment[name]?.trim() ?? "";
  if (read("OTEL_SDK_DISABLED").toLowerCase() === "true") return undefined;
  const exporters = read("OTEL_METRICS_EXPORTER");
  const endpoint = read("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") || read("OTEL_EXPORTER_OTLP_ENDPOINT");
  const asked = exporters === "" ? endpoint !== "" : exporters.split(",").some((name) => name.trim() === "otlp");
  if (!asked) return undefined;
  const protocol = read("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL") || read("OTEL_EXPORTER_OTLP_PROTOCOL");
  if (protocol === "grpc") {
    return "metrics are not pushed: OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and only http/json is supported";
  }
  const interval = positive(read("OTEL_METRIC_EXPORT_INTERVAL")) ?? 60_000;
  const timeout = Math.min(positive(read("OTEL_METRIC_EXPORT_TIMEOUT")) ?? 30_000, interval);
  return { interval, timeout };
}

function positive(text: string): number | undefined {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

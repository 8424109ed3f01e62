import { type DiagLogger, DiagLogLevel, diag } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import type { Logger } from "@registry-gate/auth";
import { endsWithin } from "../../ends-within.ts";
import { firstLine } from "../../one-line.ts";
import type { PushSettings } from "./push-settings.ts";
import type { Snapshot } from "./snapshot.ts";
import { gateResource, snapshotProducer } from "./snapshot-producer.ts";

/** Pushes metrics to a collector until it is stopped. */
export interface MetricsPush {
  /** Pushes a last time, if that does not take long. */
  stop(): Promise<void>;
}

/** How long the last push may take, in milliseconds: the process is about to end. */
const lastPushLimit = 1000;
/** As much of a message of OpenTelemetry's as is logged. */
const longestMessage = 200;

/** @param version Of registry-gate. */
export function startPush(
  { interval, timeout }: PushSettings,
  collect: () => Promise<Snapshot>,
  version: string,
  log: Logger,
): MetricsPush {
  diag.setLogger(diagnosticLogger(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const resource = gateResource(version);
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis: interval,
    exportTimeoutMillis: timeout,
    metricProducers: [snapshotProducer(resource, collect, true)],
  });
  const provider = new MeterProvider({ resource, readers: [reader] });
  return {
    async stop() {
      await endsWithin(
        lastPushLimit,
        provider.shutdown().catch(() => {}),
      );
    },
  };
}

function diagnosticLogger(log: Logger): DiagLogger {
  const warn = (message: string): void => {
    log.warn({ event: "warning" }, `OpenTelemetry: ${firstLine(describe(message)).slice(0, longestMessage)}`);
  };
  const silent = (): void => {};
  return { error: warn, warn, info: silent, debug: silent, verbose: silent };
}

/** Its error handler writes an error as JSON, with the stack. */
function describe(message: string): string {
  try {
    const parsed: unknown = JSON.parse(message);
    return typeof parsed === "object" && parsed !== null && "message" in parsed ? String(parsed.message) : message;
  } catch {
    return message;
  }
}

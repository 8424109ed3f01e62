import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import type { Snapshot } from "./snapshot.ts";
import { gateResource, snapshotProducer } from "./snapshot-producer.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Renders snapshots for Prometheus. */
export interface PrometheusText {
  readonly contentType: string;
  render(snapshot: Snapshot): Promise<string>;
}

/**
 * The text form of Prometheus, by the exporter of OpenTelemetry. Attributes of the resource, which `OTEL_SERVICE_NAME` and
 * `OTEL_RESOURCE_ATTRIBUTES` set, are in `target_info`, if there are any.
 */
export function prometheusText(version: string, environment: Environment): PrometheusText {
  let current: Snapshot = { started: Date.now(), metrics: {} };
  const resource = gateResource(version);
  const exporter = new PrometheusExporter({
    preventServerStart: true,
    withoutScopeInfo: true,
    withoutTargetInfo: !hasAttributes(environment),
    metricProducers: [snapshotProducer(resource, async () => current, false)],
  });
  // The exporter is bound by it.
  new MeterProvider({ resource, readers: [exporter] });
  let last: Promise<unknown> = Promise.resolve();
  const render = (snapshot: Snapshot): Promise<string> => {
    current = snapshot;
    const response = new CapturedResponse();
    exporter.getMetricsRequestHandler(response.req, response);
    return response.text;
  };
  return {
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    render(snapshot) {
      // One after the other: the exporter reads `current` later.
      const rendered = last.then(() => render(snapshot));
      last = rendered.catch(() => {});
      return rendered;
    },
  };
}

function hasAttributes({ OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES }: Environment): boolean {
  return [OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES].some((value) => value !== undefined && value.trim() !== "");
}

/** Keeps what the exporter, which has no other way out, would send. */
class CapturedResponse extends ServerResponse {
  readonly #text = Promise.withResolvers<string>();
  readonly text: Promise<string> = this.#text.promise;

  constructor() {
    super(new IncomingMessage(new Socket()));
  }

  override end(text?: unknown): this {
    this.#text.resolve(String(text ?? ""));
    return this;
  }
}

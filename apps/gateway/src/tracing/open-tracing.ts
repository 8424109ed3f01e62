import type { RequestTracer } from "@registry-gate/core";
import { endsWithin } from "../ends-within.ts";
import { type Environment, traceSettings } from "./trace-settings.ts";

/** Traces of a process. */
export interface Tracing {
  readonly tracer: RequestTracer;
  /** Sends what has not been sent yet, for at most `timeLimit` milliseconds. */
  close(timeLimit: number): Promise<void>;
}

/** Opens what sends traces, where the environment asks for them. What it needs is loaded only then. */
export async function openTracing(environment: Environment, version: string): Promise<Tracing | undefined> {
  const settings = traceSettings(environment);
  if (settings === undefined) return undefined;
  const [{ otlpProvider }, { spanTracer }] = await Promise.all([
    import("./otlp-provider.ts"),
    import("./span-tracer.ts"),
  ]);
  const provider = otlpProvider(settings, version);
  const tracer = spanTracer(provider.getTracer("registry-gate", version));
  return {
    tracer,
    async close(timeLimit) {
      tracer.close();
      await endsWithin(
        timeLimit,
        provider.shutdown().catch(() => {}),
      );
    },
  };
}

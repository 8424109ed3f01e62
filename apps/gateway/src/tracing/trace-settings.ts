/** The standard environment variables of OpenTelemetry (specification, "Environment Variable Specification"). */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How requests are followed. */
export interface TraceSettings {
  readonly sampler: SamplerName;
  /** Of the traces that begin here, the share that is followed: from 0 to 1. */
  readonly ratio: number;
}

export type SamplerName = (typeof samplers)[number];

const samplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

/**
 * Whether traces are asked for: by `OTEL_TRACES_EXPORTER=otlp`, or by an endpoint for them. An invalid value of a variable
 * counts as none, as the specification wants it.
 *
 * @returns `undefined` where they are not.
 */
export function traceSettings(environment: Environment): TraceSettings | undefined {
  const setting = (name: string): string => environment[name]?.trim() ?? "";
  if (setting("OTEL_SDK_DISABLED").toLowerCase() === "true") return undefined;
  const exporters = setting("OTEL_TRACES_EXPORTER")
    .split(",")
    .map((name) => name.trim());
  const endpoint = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"].some(
    (name) => setting(name) !== "",
  );
  const asked = exporters.includes("otlp") || (exporters.join("") === "" && endpoint);
  if (!asked) return undefined;
  const sampler = samplers.find((name) => name === setting("OTEL_TRACES_SAMPLER")) ?? "parentbased_always_on";
  const ratio = Number.parseFloat(setting("OTEL_TRACES_SAMPLER_ARG"));
  return { sampler, ratio: ratio >= 0 && ratio <= 1 ? ratio : 1 };
}

import { type Fault, formatFault, InvalidOptionsError, type Logger } from "@registry-gate/auth";

const rejections = {
  "reload refused": "reload rejected; keeping the running configuration",
  "certificate refused": "certificate rejected; keeping the current one",
} as const;

/** Logs where the gateway listens. */
export function reportListening(
  log: Logger,
  { name, secure }: { readonly name: string; readonly secure: boolean },
): void {
  log.info({ event: "listening", address: name, tls: secure }, `listening on ${name}`);
}

/** Logs warnings about the configuration. */
export function reportWarnings(log: Logger, warnings: readonly Fault[]): void {
  for (const warning of warnings) log.warn({ event: "warning" }, formatFault(warning));
}

/** Logs why a new configuration or certificate was rejected. */
export function reportRefusal(log: Logger, event: keyof typeof rejections, error: unknown): void {
  const faults = faultsOf(error);
  const reason = faults.length === 0 ? { err: error } : { faults: faults.map(formatFault) };
  log.error({ event, ...reason }, rejections[event]);
}

/** The reason as text, to compare it with another one. */
export function describeRefusal(error: unknown): string {
  return faultsOf(error).map(formatFault).join("\n") || String(error);
}

export function reportUnreadableFile(log: Logger, error: Error): void {
  log.error({ event: "file unreadable", err: error }, "cannot read a watched file; keeping the previous version");
}

/** The reason as faults; one without a path where it is something else. */
export function refusalFaults(error: unknown): readonly Fault[] {
  const faults = faultsOf(error);
  return faults.length > 0 ? faults : [{ path: [], message: "internal error" }];
}

function faultsOf(error: unknown): readonly Fault[] {
  return error instanceof InvalidOptionsError ? error.faults : [];
}

import { type Fault, formatFault, InvalidOptionsError, type Logger } from "@registry-gate/auth";

/** Says where the gateway listens. */
export function reportListening(
  log: Logger,
  { name, secure }: { readonly name: string; readonly secure: boolean },
): void {
  log.info({ event: "listening", address: name, tls: secure }, `listening on ${name}`);
}

/** Says what works, but should not stay so. */
export function reportWarnings(log: Logger, warnings: readonly Fault[]): void {
  for (const warning of warnings) log.warn({ event: "warning" }, formatFault(warning));
}

/** Says why what should have replaced something was refused. */
export function reportRefusal(log: Logger, event: "reload refused" | "certificate refused", error: unknown): void {
  const faults = faultsOf(error);
  const reason = faults.length === 0 ? { err: error } : { faults: faults.map(formatFault) };
  log.error({ event, ...reason }, "the old configuration stays in force");
}

/** The reason in words, to tell it from another one. */
export function describeRefusal(error: unknown): string {
  return faultsOf(error).map(formatFault).join("\n") || String(error);
}

export function reportUnreadableFile(log: Logger, error: Error): void {
  log.error({ event: "file unreadable", err: error }, "a watched file cannot be read");
}

function faultsOf(error: unknown): readonly Fault[] {
  return error instanceof InvalidOptionsError ? error.faults : [];
}

import type { Logger, LogLine } from "@registry-gate/auth";

export interface LogEntry {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A logger that keeps its lines. */
export function recordingLog(): { log: Logger; lines: LogEntry[] } {
  const lines: LogEntry[] = [];
  const writer =
    (level: LogEntry["level"]): LogLine =>
    (fields, message) =>
      void lines.push({ level, fields, message });
  return {
    log: { debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") },
    lines,
  };
}

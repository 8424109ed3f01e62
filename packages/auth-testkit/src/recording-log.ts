import { inspect } from "node:util";
import { type BackendContext, formatFault, type Logger, type LogLine } from "@registry-gate/auth";

/** A log that keeps its lines. */
export interface RecordingLog {
  readonly log: Logger;
  /** Of a context: what is warned of is kept too. */
  readonly warn: BackendContext["warn"];
  /** Every line so far, fields and message, as text. */
  text(): string;
}

/** Makes an empty {@link RecordingLog}. */
export function recordingLog(): RecordingLog {
  const lines: string[] = [];
  const keep: LogLine = (fields, message) => void lines.push(`${everythingIn(fields)} ${message}`);
  return {
    log: { debug: keep, info: keep, warn: keep, error: keep },
    warn: (fault) => void lines.push(formatFault(fault)),
    text: () => lines.join("\n"),
  };
}

/** Everything that a value shows of itself, causes of errors and hidden properties too. */
export function everythingIn(value: unknown): string {
  return inspect(value, { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null });
}

import { constants, fstatSync, openSync } from "node:fs";
import type { RequestRecord } from "@registry-gate/core";
import pino, { type Logger } from "pino";
import { type LogOutput, logOutput } from "./log-output.ts";
import { requestLine, requestMembers } from "./request-line.ts";

/** The gateway's log: a JSON object a line, on standard output. */
export interface GatewayLog {
  readonly logger: Logger;
  /**
   * Logs a request as `log.info(requestLine(record))` does, byte for byte and at a fraction of the cost.
   *
   * @param log One that {@link logger} has made, without members of its own.
   */
  readonly logRequest: (log: Logger, record: RequestRecord) => void;
  /** Where the lines go. */
  readonly output: LogOutput;
  /** Resolves when every line is written, or after `timeLimit` milliseconds. */
  drained(timeLimit: number): Promise<void>;
}

/** How much waits for a slow reader, or for room on a disk: some ten thousand lines. */
const capacity = 4 * 1024 * 1024;

/**
 * Opens it at the level `info`. A log that cannot be written never delays a request or the end of the process.
 *
 * @param members Of every line.
 */
export function openLog(members: LogMembers = {}): GatewayLog {
  const output = logOutput(nonBlockingStandardOutput(), {
    capacity,
    // As an error, so that no level but `silent` hides it.
    onDropped: ({ lines, reason }) =>
      logger.error({ event: "log lines dropped", lines, reason }, "the log could not be written"),
  });
  const { logger, logRequest } = logOn(output, members);
  return { logger, logRequest, output, drained: (timeLimit) => output.drained(timeLimit) };
}

/** Members of every line. */
export interface LogMembers {
  readonly worker?: number;
}

/** The log whose lines go to `output`. */
export function logOn(
  output: Pick<LogOutput, "write">,
  members: LogMembers,
): Pick<GatewayLog, "logger" | "logRequest"> {
  const timestamp = time();
  const logger = pino(
    {
      base: members,
      timestamp,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    output,
  );
  const common = members.worker === undefined ? "" : `,"worker":${members.worker}`;
  return {
    logger,
    logRequest(log, record) {
      if (!log.isLevelEnabled("info")) return;
      const prepared = requestMembers(record);
      if (prepared === undefined) log.info(requestLine(record));
      else output.write(`{"level":"info"${timestamp()}${common}${prepared}}\n`);
    },
  };
}

/** Makes a function that gives the member `time` of a line. What many lines of one millisecond share is made once. */
function time(): () => string {
  let at = 0;
  let member = "";
  return () => {
    const now = Date.now();
    if (now !== at) {
      at = now;
      member = `,"time":"${new Date(now).toISOString()}"`;
    }
    return member;
  };
}

/** What an operator needs of an error. Its stack, and the addresses that Node writes into its message, stay out. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const system = "syscall" in error && typeof error.syscall === "string" ? error.syscall : undefined;
  return { type: error.name, code, message: system === undefined ? messageOf(error, code) : `${system} ${code}` };
}

/** A certificate's fault quotes the names of the other side. */
function messageOf({ message }: Error, code: string | undefined): string {
  return code?.startsWith("ERR_TLS_") === true ? code : message;
}

let descriptor: number | undefined;

/**
 * A descriptor of the standard output on which a write fails with EAGAIN instead of waiting for the reader. Regular
 * files have no such state: a write to them returns.
 */
function nonBlockingStandardOutput(): number {
  descriptor ??= openDescriptor();
  return descriptor;
}

function openDescriptor(): number {
  // Node makes pipes and sockets non-blocking when it builds their stream, which the first use of `stdout` does, and
  // undoes that at the end of the process. Plugins may write there too: that nobody reads must not end the process.
  process.stdout.on("error", () => {});
  if (!fstatSync(process.stdout.fd).isCharacterDevice()) return process.stdout.fd;
  // A terminal can be stopped (Control-S). Opened anew, it can be set up without a change for other processes.
  try {
    return openSync("/dev/stdout", constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return process.stdout.fd;
  }
}

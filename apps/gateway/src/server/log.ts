import pino, { type Logger } from "pino";

/** The gateway's log: a JSON object a line, on standard output. */
export interface GatewayLog {
  readonly logger: Logger;
  /** Writes out what is still held back. */
  flush(): void;
}

/** Opens it at the level `info`. */
export function openLog(): GatewayLog {
  const destination = pino.destination({ dest: 1, sync: false });
  const logger = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    destination,
  );
  return { logger, flush: () => destination.flushSync() };
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

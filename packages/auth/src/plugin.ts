import type { AuthBackend } from "./backend.ts";
import type { Fault } from "./errors.ts";
import type { SharedState } from "./shared-state.ts";

/** Writes one log line. The fields come first, as in pino; neither part ever holds a secret. */
export type LogLine = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** A logger for operators. A pino logger is one. */
export interface Logger {
  debug: LogLine;
  info: LogLine;
  warn: LogLine;
  error: LogLine;
}

/** What a gate passes to the backends that it opens. */
export interface BackendContext {
  /** The {@link AuthBackend.id} to use. */
  readonly id: string;
  /** An absolute path: relative paths in the options are relative to it. */
  readonly baseDirectory: string;
  readonly log: Logger;
  /**
   * Reports a risk or a probable mistake in valid options; to be called while the backend is opened. The path starts at
   * the options.
   */
  warn(fault: Fault): void;
  /**
   * Why no client is asked for a certificate, in a few words such as `without TLS`. Absent where clients are asked, or
   * where it is unknown.
   */
  readonly noClientCertificates?: string;
  /**
   * Finds another backend of the gate by its id, for a backend whose users are those of others. To be called when a request
   * comes: while backends are opened, not all are there. Absent outside of a gate.
   */
  readonly sibling?: (id: string) => AuthBackend | undefined;
  /** What the processes of the gate share. Absent where nothing is configured. */
  readonly state?: SharedState;
}

/**
 * What a backend package exports as `plugin`, so that a configuration can name it.
 *
 * @example
 * ```ts
 * export const plugin: AuthBackendPlugin = {
 *   type: "acme",
 *   apiVersion: 1,
 *   open: async (options, context) => acmeBackend(parseOptions(options), context),
 * };
 * ```
 */
export interface AuthBackendPlugin {
  /** The `type` that a configuration selects it by. */
  readonly type: string;
  /** The version of this contract that the package was written for. */
  readonly apiVersion: 1;
  /** JSON Schema (draft 2020-12) of the options without `type`, for editors. `open` does the validation. */
  readonly optionsSchema?: Readonly<Record<string, unknown>>;
  /**
   * Validates the options and creates a backend. Reads the files that they name, but opens no connection, so that a
   * configuration can be checked where the servers are out of reach.
   *
   * @param options As they stand in the configuration, without `type`.
   * @throws {InvalidOptionsError} with every fault; its paths start at the options.
   */
  open(options: unknown, context: BackendContext): Promise<AuthBackend>;
}

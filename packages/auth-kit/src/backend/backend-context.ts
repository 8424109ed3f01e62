import {
  type BackendContext,
  type Fault,
  formatFault,
  type Logger,
  type LogLine,
  type SharedState,
} from "@registry-gate/auth";
import { z } from "zod";
import { parseOptions } from "../options/parse-options.ts";

const ignore: LogLine = () => {};

/** Logs nothing. */
export const silentLog: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Whether a value can be logged to: a pino logger, or any with its four levels. */
export function isLogger(value: unknown): value is Logger {
  return (
    typeof value === "object" &&
    value !== null &&
    ["debug", "info", "warn", "error"].every((level) => typeof Reflect.get(value, level) === "function")
  );
}

function isSharedState(value: unknown): value is SharedState {
  return (
    typeof value === "object" &&
    value !== null &&
    ["get", "set", "add", "replace", "delete", "list"].every((name) => typeof Reflect.get(value, name) === "function")
  );
}

const text = (): z.ZodType<string> => z.string("must be text").min(1, "is empty");

// Members that a later version of the contract adds are allowed.
const schema = z.looseObject({
  context: z.looseObject(
    {
      id: text().optional(),
      baseDirectory: text().optional(),
      log: z.custom<Logger>(isLogger, "must have the methods debug, info, warn and error").optional(),
      warn: z.custom<BackendContext["warn"]>((value) => typeof value === "function", "must be a function").optional(),
      noClientCertificates: text().exactOptional(),
      sibling: z
        .custom<NonNullable<BackendContext["sibling"]>>((value) => typeof value === "function", "must be a function")
        .exactOptional(),
      state: z.custom<SharedState>(isSharedState, "must be a store of shared state").exactOptional(),
    },
    "must hold id, baseDirectory and log",
  ),
});

/**
 * Completes the context of a backend that was made without a gateway.
 *
 * @param given What is left out of it has defaults: the `id` given here, the current directory, no log, and the log
 * for what is warned of.
 * @throws {InvalidOptionsError} whose paths begin with `context`.
 */
export function backendContext(given: unknown, defaultId: string): BackendContext {
  const { context } = parseOptions(schema, { context: given });
  const { id = defaultId, baseDirectory = process.cwd(), log = silentLog } = context;
  const { warn = (fault: Fault): void => log.warn({ backend: id }, formatFault(fault)) } = context;
  return { ...context, id, baseDirectory, log, warn };
}

import {
  type AuthBackend,
  type BackendContext,
  durationPattern,
  type Fault,
  InvalidOptionsError,
  type Logger,
  type SharedState,
} from "@registry-gate/auth";
import { durationFault, openContained, suggestKey, valueSchema } from "@registry-gate/auth-kit";
import { isWithin, type Path } from "../config/path.ts";
import type { BackendConfiguration } from "../config/sections/auth.ts";
import { typePlaceholders } from "../config/type-placeholders.ts";
import { withQuoteHint } from "../config/yaml-faults.ts";
import { firstLine, oneLine } from "../one-line.ts";
import { findPlugin } from "../plugins.ts";

/** Plugins read files and connect to nothing, so that this is plenty. */
const timeLimit = 10_000;

/** The context of a backend, besides its options. */
export interface BackendPlace {
  /** Among the backends of the configuration. */
  readonly index: number;
  readonly id: string;
  /** Where paths in its options are relative to. */
  readonly directory: string;
  /** Where texts of the configuration came whole from the environment, from its root. */
  readonly placeholders: readonly Path[];
  readonly log: Logger;
  /** Called for each warning of the backend, with a path from the root of the configuration. */
  readonly warn: (fault: Fault) => void;
  /** Why no client is asked for a certificate. */
  readonly noClientCertificates?: string;
  /** Finds another backend of the configuration by its id, once all are open. */
  readonly sibling?: (id: string) => AuthBackend | undefined;
  /** What the processes of the gate share. */
  readonly state?: SharedState;
}

/**
 * Finds the plugin of a backend and opens it. Whatever a third party's plugin does wrong is a fault at its place in the
 * configuration.
 *
 * @throws {InvalidOptionsError} with paths from the root of the configuration.
 */
export async function openBackend(
  { type, id: _, ...options }: BackendConfiguration,
  { index, id, directory, placeholders, log, warn, noClientCertificates, sibling, state }: BackendPlace,
): Promise<AuthBackend> {
  const at = ["auth", "backends", index];
  let known: unknown;
  try {
    const opening = openContained(
      async () => {
        // Within it too: a module may begin something while it is loaded.
        const plugin = await findPlugin(type, directory);
        known = plugin.optionsSchema;
        const own = placeholders.filter((path) => isWithin(path, [at])).map((path) => path.slice(at.length));
        const typed = typePlaceholders(structuredClone(options), own, known);
        const bare = bareDurations(typed, known);
        if (bare.length > 0) throw new InvalidOptionsError(bare);
        const context: BackendContext = {
          ...{ id, baseDirectory: directory, log },
          warn(fault) {
            if (isFault(fault)) warn({ path: [...at, ...fault.path], message: firstLine(fault.message) });
          },
          ...(noClientCertificates !== undefined && { noClientCertificates }),
          ...(sibling !== undefined && { sibling }),
          ...(state !== undefined && { state }),
        };
        return inTime(plugin.open(typed, context));
      },
      (error) => log.error({ backend: id, err: error }, "a backend threw an error that nobody caught"),
    );
    return await opening;
  } catch (error) {
    const faults = faultsIn(error);
    if (faults === undefined) {
      throw new InvalidOptionsError([{ path: at, message: `cannot be opened: ${oneLine(error)}` }], { cause: error });
    }
    throw new InvalidOptionsError(
      faults.map((fault) => {
        const { path, message } = withQuoteHint(fault, options);
        const said = firstLine(message);
        // Most backends suggest a key themselves.
        const suggestion = said.includes("did you mean") ? "" : suggestKey(known, path);
        return { path: [...at, ...path], message: `${said}${suggestion}` };
      }),
      { cause: error },
    );
  }
}

/** In a file a bare number is no duration: `timeout: 5` hardly means milliseconds. */
function bareDurations(value: unknown, schema: unknown, path: Path = []): readonly Fault[] {
  if (typeof value === "number") {
    const { types, patterns } = valueSchema(schema, path);
    const isDuration = !types.has("number") && patterns.includes(durationPattern.source);
    return isDuration ? [{ path, message: durationFault(value) }] : [];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) =>
    bareDurations(item, schema, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

/** A plugin that never opens would keep the gate from starting, without a message. */
async function inTime(opening: Promise<AuthBackend>): Promise<AuthBackend> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`it did not open within ${timeLimit / 1000} s`));
      // If it opens later, nothing uses it: close it.
      opening.then((backend) => backend.close?.()).catch(() => {});
    }, timeLimit);
  });
  try {
    return await Promise.race([opening, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The faults of the options, where there are any. The error is judged by its code: a third party's backend may have been
 * built with another copy of the contract.
 */
function faultsIn(error: unknown): readonly Fault[] | undefined {
  if (!(error instanceof Error && "code" in error && error.code === "INVALID_OPTIONS" && "faults" in error)) return;
  const { faults } = error;
  return Array.isArray(faults) && faults.length > 0 && faults.every(isFault) ? faults : undefined;
}

function isFault(value: unknown): value is Fault {
  if (typeof value !== "object" || value === null || !("path" in value && "message" in value)) return false;
  const { path, message } = value;
  const isKey = (key: unknown): boolean => typeof key === "string" || typeof key === "number";
  return Array.isArray(path) && path.every(isKey) && typeof message === "string";
}

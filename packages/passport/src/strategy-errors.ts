import type { Logger } from "@registry-gate/auth";
import { type ErrorContainment, errorContainment } from "@registry-gate/auth-kit";

/**
 * Contains what a strategy, or a library of its, throws where nobody can catch it. What is not one login's is reported by
 * its kind and place alone: its message may hold the secret of any of them.
 *
 * @param log Default: a warning of the process.
 */
export function strategyErrors(id: string, log: Logger | undefined): ErrorContainment {
  return errorContainment((error) => {
    const message = "uncaught error in the strategy, outside any single login";
    const { type, at } = originOf(error);
    if (log !== undefined) log.error({ backend: id, type, at }, message);
    else process.emitWarning(`${id}: ${message}: ${type}${at === undefined ? "" : ` at ${at}`}`);
  });
}

/** The parts of an error that are safe to log: the name of its class, and where it was created. */
function originOf(error: unknown): { readonly type: string; readonly at: string | undefined } {
  if (!(error instanceof Error)) return { type: typeof error, at: undefined };
  const name = /^[A-Za-z_$][\w$]{0,63}$/.exec(error.name)?.[0] ?? "Error";
  // The message stands before the frames, and may have lines that look like one.
  const frames = error.stack?.split("\n").reverse() ?? [];
  const last = frames.findIndex((line) => !/^ {4}at /.test(line));
  return { type: name, at: frames[(last === -1 ? frames.length : last) - 1]?.trim().replace(/^at /, "").slice(0, 200) };
}

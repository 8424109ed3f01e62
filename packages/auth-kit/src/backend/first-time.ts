import type { Logger, LogLine } from "@registry-gate/auth";

/**
 * Makes a function that says whether it is asked for something for the first time, for what is to be logged once however many
 * requests give reason for it.
 *
 * @param most How much is remembered, so that strangers cannot fill the memory. Beyond it, all is forgotten.
 */
export function firstTime(most = 1000): (...what: readonly unknown[]) => boolean {
  const seen = new Set<string>();
  return (...what) => {
    const key = JSON.stringify(what);
    if (seen.has(key)) return false;
    if (seen.size >= most) seen.clear();
    seen.add(key);
    return true;
  };
}

/** Makes a function that logs a warning, once for the same fields and message. */
export function warnOnce(log: Pick<Logger, "warn">, most?: number): LogLine {
  const isNew = firstTime(most);
  return (fields, message) => {
    if (isNew(fields, message)) log.warn(fields, message);
  };
}

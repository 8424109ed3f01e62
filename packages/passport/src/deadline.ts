/** A time limit, and a signal that aborts the wait. */
export interface Deadline {
  /** In milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** Why there is no result: a timeout or an abort. */
export type NoResult = "silence" | "abort";

/**
 * Waits for the first value that is passed to `settle`; later values are ignored.
 *
 * @param begin Must not throw.
 */
export function waitFor<T extends object>(
  { timeout, signal }: Pick<Deadline, "timeout"> & Partial<Deadline>,
  begin: (settle: (value: T) => void) => void,
): Promise<T | NoResult> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve("abort");
    const settle = (value: T | NoResult): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      resolve(value);
    };
    const timer = setTimeout(() => settle("silence"), timeout);
    const abort = (): void => settle("abort");
    signal?.addEventListener("abort", abort, { once: true });
    begin(settle);
  });
}

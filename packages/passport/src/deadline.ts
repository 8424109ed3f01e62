/** How long something may take, and when it is no longer wanted. */
export interface Deadline {
  /** In milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** Why noResult came: it took too long, or was no longer wanted. */
export type NoResult = "silence" | "abort";

/**
 * Waits for whatever is first handed to `settle`; what is handed to it later is passed over.
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

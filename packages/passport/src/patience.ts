/** How long something may take, and when it is no longer wanted. */
export interface Patience {
  /** In milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** Why nothing came: it took too long, or was no longer wanted. */
export type Nothing = "silence" | "abort";

/**
 * Waits for whatever is first handed to `settle`; what is handed to it later is passed over.
 *
 * @param begin Must not throw.
 */
export function waitFor<T extends object>(
  { timeout, signal }: Pick<Patience, "timeout"> & Partial<Patience>,
  begin: (settle: (value: T) => void) => void,
): Promise<T | Nothing> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve("abort");
    const settle = (value: T | Nothing): void => {
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

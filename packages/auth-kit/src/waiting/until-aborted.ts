/**
 * Waits for work that others may wait for as well, for as long as somebody wants its result: an abort ends the waiting, not
 * the work.
 *
 * @param reason Makes what the promise is rejected with on abort. Default: the reason of the signal.
 */
export function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  reason: () => unknown = () => signal.reason,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(reason());
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

import { type LinkedList, linkedList } from "@registry-gate/auth-kit";

/** The attempts in progress by key, and those that wait for their outcome. */
export interface Pending {
  /**
   * Registers an attempt.
   *
   * @returns a function that ends it, to be called once, with the number of waiters that may try again. After the last
   * attempt of a key all of them may.
   */
  begin(key: string): (wakes: number) => void;
  /** The number of attempts in progress. */
  count(key: string): number;
  /**
   * Waits until another try makes sense.
   *
   * @returns `false` at once where no attempt is in progress. Rejects with the reason of the signal when it aborts.
   */
  wait(key: string, signal: AbortSignal): Promise<boolean>;
}

interface Attempts {
  count: number;
  readonly waiters: LinkedList<() => void>;
}

export function createPending(): Pending {
  const byKey = new Map<string, Attempts>();
  return {
    begin(key) {
      const attempts = byKey.get(key) ?? { count: 0, waiters: linkedList() };
      byKey.set(key, attempts);
      attempts.count++;
      return (wakes) => {
        if (--attempts.count === 0) byKey.delete(key);
        let left = attempts.count === 0 ? Number.POSITIVE_INFINITY : wakes;
        for (; left > 0 && attempts.waiters.first !== undefined; left--) attempts.waiters.first.value();
      };
    },
    count: (key) => byKey.get(key)?.count ?? 0,
    wait(key, signal) {
      const attempts = byKey.get(key);
      if (attempts === undefined) return Promise.resolve(false);
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          attempts.waiters.remove(node);
          signal.removeEventListener("abort", abort);
        };
        const abort = (): void => {
          leave();
          reject(signal.reason);
        };
        const node = attempts.waiters.append(() => {
          leave();
          resolve(true);
        });
        signal.addEventListener("abort", abort, { once: true });
        if (signal.aborted) abort();
      });
    },
  };
}

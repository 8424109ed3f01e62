/** Those who wait until something has nothing left to do. */
export interface IdleWaiters {
  /** How many wait. */
  readonly size: number;
  /** Resolves at the next {@link tell}, or after `timeLimit` milliseconds. */
  wait(timeLimit: number): Promise<void>;
  /** It has nothing left to do. */
  tell(): void;
}

export function idleWaiters(): IdleWaiters {
  const waiting = new Set<() => void>();
  return {
    get size() {
      return waiting.size;
    },
    wait(timeLimit) {
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(limit);
          waiting.delete(done);
          resolve();
        };
        const limit = setTimeout(done, timeLimit);
        waiting.add(done);
      });
    },
    tell() {
      for (const done of waiting) done();
    },
  };
}

import { claimUncaught } from "@registry-gate/auth-kit";

/** Errors that were thrown in an event, and rejections that nobody awaited. */
export interface UncaughtErrors {
  /** Resolves with the first one. */
  readonly first: Promise<void>;
  /** How many there were so far. */
  readonly count: number;
}

/** An error in a timer that repeats must not fill the log while requests finish. */
const mostReported = 10;

/**
 * Keeps Node from ending the process at an uncaught error, so that requests in flight can finish first. The caller must
 * end the process soon, because its state is unknown after such an error.
 *
 * An error of a backend is that login's failure, and is not counted.
 *
 * @param report Called for the first few.
 */
export function catchUncaughtErrors(report: (error: unknown) => void): UncaughtErrors {
  let count = 0;
  const { promise: first, resolve } = Promise.withResolvers<void>();
  const caught = (error: unknown): void => {
    if (claimUncaught(error)) return;
    count++;
    // Without the error: a promise would look whether it has a `then`.
    resolve();
    if (count > mostReported) return;
    try {
      report(error);
    } catch {
      // What was thrown may throw again as soon as anybody looks at it. It is counted.
    }
  };
  process.on("uncaughtException", caught);
  process.on("unhandledRejection", caught);
  return {
    first,
    get count() {
      return count;
    },
  };
}

import { endsWithin } from "../../ends-within.ts";

/** What a check has found. */
export interface Finding {
  readonly failed: boolean;
  /** What was thrown. */
  readonly error?: unknown;
  /** The first check goes on, and nothing is known yet. */
  readonly pending?: boolean;
  /** When, on the monotonic clock in milliseconds. */
  readonly at: number;
}

/** How long a finding is used again, in milliseconds. */
const freshFor = 1000;
/** How long a check may take, in milliseconds. */
export const checkTimeLimit = 5000;
/** How long somebody who asks waits for a check: kubelet gives up after a second. In milliseconds. */
const patience = 700;

/**
 * Makes a check that can be asked for at any rate: it runs at most once at a time and once a second. One that takes longer
 * than somebody waits is reported as it was found before.
 */
export function cachedCheck(check: (signal: AbortSignal) => Promise<void>): () => Promise<Finding> {
  let last: Finding | undefined;
  let running: { readonly begun: number; readonly end: Promise<void> } | undefined;

  async function run(): Promise<void> {
    try {
      await check(AbortSignal.timeout(checkTimeLimit));
      last = { failed: false, at: performance.now() };
    } catch (error) {
      last = { failed: true, error, at: performance.now() };
    }
    running = undefined;
  }

  return async () => {
    if (running === undefined && (last === undefined || performance.now() - last.at > freshFor)) {
      running = { begun: performance.now(), end: Promise.resolve().then(run) };
    }
    const waitedFor = running;
    if (waitedFor !== undefined) await endsWithin(patience, waitedFor.end);
    // One that does not end by its signal is not begun again, or there would be more and more of them.
    const late =
      running === waitedFor && waitedFor !== undefined && performance.now() - waitedFor.begun > checkTimeLimit;
    if (last !== undefined && !late) return last;
    return { failed: true, pending: !late, error: new Error(noResponse), at: performance.now() };
  };
}

export const noResponse = "no response in time";

import { claimUncaught } from "./error-containment.ts";

/**
 * Keeps an error of contained work from ending the process, from now on and for good: the work that began it may live
 * longer than any backend. Any other error ends the process as before, but with the exit code 7 in the place of 1, unless
 * the app listens for `uncaughtException` itself.
 *
 * Such a listener is called for contained errors too, and has to ask `claimUncaught` first.
 */
export function guardProcess(): void {
  const listeners = process.listeners("uncaughtException");
  // By its name: another copy of this package may have been here.
  if (!listeners.some(({ name }) => name === endUnlessContained.name)) {
    process.on("uncaughtException", endUnlessContained);
  }
}

function endUnlessContained(error: unknown): void {
  if (claimUncaught(error) || process.listenerCount("uncaughtException") > 1) return;
  throw error;
}

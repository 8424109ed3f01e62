import { type Duration, parseDuration, timerDelay } from "@registry-gate/auth";

/**
 * A signal that aborts with another, and after a time: for a question that a backend asks somebody else.
 *
 * @throws {RangeError} for what is no duration.
 */
export function signalWithin(signal: AbortSignal, timeout: Duration): AbortSignal {
  const milliseconds = parseDuration(timeout);
  if (milliseconds === undefined) throw new RangeError("the timeout is no duration");
  return AbortSignal.any([signal, AbortSignal.timeout(timerDelay(milliseconds))]);
}

import { untilAborted } from "@registry-gate/auth-kit";

/** How long what was fetched is used. All in milliseconds. */
export interface Freshness {
  /** For this long it is used without asking again. */
  readonly maxAge: number;
  /** The least time between two attempts to fetch. */
  readonly cooldown: number;
  /** For this long, from its fetching, it is used while fetching fails. */
  readonly keepFor: number;
}

/** Nothing usable is at hand and it cannot be fetched now. The message is one line. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}

/** A document that is fetched when it is needed, and kept. */
export interface CachedDocument<T> {
  /**
   * What was fetched last, fetched anew where it is too old.
   *
   * @throws {UnavailableError}
   */
  get(signal: AbortSignal): Promise<T>;
  /**
   * For a caller who misses something in `known`: what is there now, asked for anew unless that was done just now.
   *
   * @throws {UnavailableError} when it cannot be found out whether there is something newer.
   */
  newerThan(known: T, signal: AbortSignal): Promise<T>;
}

/** After a failure the next attempt need not wait for long: nothing was learned that could be asked for too often. */
const RETRY = 5000;

/**
 * @param load Fetches and reads the document; rejects with an error of one line when it cannot be had or used.
 * @param onOutage Called with the reason, once for each outage that there is something kept for.
 * @param onLoaded Called after each success.
 */
export function cachedDocument<T>(
  load: () => Promise<T>,
  { maxAge, cooldown, keepFor }: Freshness,
  onOutage: (reason: string) => void,
  onLoaded: (value: T, previous: T | undefined) => void,
): CachedDocument<T> {
  let kept: { readonly value: T; readonly at: number } | undefined;
  let failure: string | undefined;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let pending: Promise<void> | undefined;

  const age = (): number => (kept === undefined ? Number.POSITIVE_INFINITY : performance.now() - kept.at);

  async function attempt(): Promise<void> {
    attemptedAt = performance.now();
    try {
      const value = await load();
      const previous = kept?.value;
      kept = { value, at: attemptedAt };
      failure = undefined;
      onLoaded(value, previous);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (failure === undefined && kept !== undefined) onOutage(reason);
      failure = reason;
    } finally {
      pending = undefined;
    }
  }

  /** The attempt that is under way or due; undefined where the last one was just now. */
  function refresh(): Promise<void> | undefined {
    const wait = failure === undefined ? cooldown : Math.min(cooldown, RETRY);
    if (pending === undefined && performance.now() - attemptedAt >= wait) pending = attempt();
    return pending;
  }

  function usable(): T {
    if (kept === undefined || age() >= keepFor) throw new UnavailableError(failure ?? "nothing was fetched yet");
    return kept.value;
  }

  return {
    async get(signal) {
      if (age() >= maxAge) {
        const refreshed = refresh();
        // During an outage, callers get the kept document without waiting.
        if (failure === undefined || age() >= keepFor) await waitFor(refreshed, signal);
      }
      return usable();
    },
    async newerThan(known, signal) {
      if (kept?.value === known) await waitFor(refresh(), signal);
      if (failure !== undefined) throw new UnavailableError(failure);
      return usable();
    },
  };
}

/** Other callers may wait for the same work: an abort ends only this wait. */
async function waitFor(work: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  if (work !== undefined) await untilAborted(work, signal, () => new UnavailableError("the request was aborted"));
}

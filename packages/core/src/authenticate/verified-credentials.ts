import { type Principal, parseDuration } from "@registry-gate/auth";
import type { LoginCacheOptions } from "../options/options.ts";
import { keyedHash } from "./keyed-hash.ts";
import type { AnonymousVerdict, AuthenticatedVerdict, Verdict } from "./verdict.ts";

/** Remembers who was authenticated, so that a password is checked once a minute and client, not once a request. */
export interface VerifiedCredentials {
  /** The remembered answer. */
  recall(fields: readonly string[]): Verdict | undefined;
  /**
   * The remembered answer, or else the one that `verify` gives; of several callers with equal fields at the same time
   * one alone has it verified. Only success is remembered.
   *
   * @param untilGone Makes the signal that ends this caller's waiting. `verify` is told to stop when nobody waits.
   */
  resolve(
    fields: readonly string[],
    untilGone: () => AbortSignal,
    verify: (signal: AbortSignal) => Promise<Verdict>,
  ): Verdict | Promise<Verdict>;
  /**
   * Forgets everything, or those whom `concerned` picks. What is being verified at this moment is not remembered either: whom
   * it will be about is not known.
   */
  purge(concerned?: (principal: Principal) => boolean): void;
  /** How many are remembered. */
  readonly size: number;
}

/** Of a login that names nobody, too: a token that was issued for anonymous users. */
type Success = AuthenticatedVerdict | AnonymousVerdict;

interface Entry {
  readonly verdict: Success;
  /** On the monotonic clock, in milliseconds. */
  readonly staleAt: number;
  /** On the wall clock, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

interface Flight {
  readonly answer: Promise<Verdict>;
  readonly abort: AbortController;
  waiting: number;
}

/** Success is held for `ttl`, and no longer than the identity itself holds. */
export function verifiedCredentials(options: LoginCacheOptions = {}): VerifiedCredentials {
  const { ttl = "60s", maxEntries = 10_000 } = options;
  const life = parseDuration(ttl) ?? 0;
  const nameOf = keyedHash();
  // In the order of their insertion, which is that of their going stale but where a backend asks for less.
  let entries = new Map<string, Entry>();
  let flights = new Map<string, Flight>();

  function remembered(name: string): Verdict | undefined {
    const entry = entries.get(name);
    if (entry === undefined) return undefined;
    if (performance.now() < entry.staleAt && Date.now() < entry.expiresAt) return entry.verdict;
    entries.delete(name);
    return undefined;
  }

  function remember(name: string, verdict: Success): void {
    const now = performance.now();
    for (const [oldest, entry] of entries) {
      if (entries.size < maxEntries && now < entry.staleAt) break;
      entries.delete(oldest);
    }
    entries.delete(name);
    const remaining = verdict.outcome === "authenticated" ? lifeOf(verdict, life) : life;
    if (remaining === 0) return;
    entries.set(name, { verdict, staleAt: now + remaining, expiresAt: verdict.expiresAt ?? Number.POSITIVE_INFINITY });
  }

  function takeOff(name: string, verify: (signal: AbortSignal) => Promise<Verdict>): Flight {
    const abort = new AbortController();
    const mine = flights;
    const answer = verify(abort.signal).then(
      (verdict) => {
        if (mine.get(name) === flight) mine.delete(name);
        // After a purge this answer rests on what no longer holds.
        if (isSuccess(verdict) && mine === flights) remember(name, verdict);
        return verdict;
      },
      (error: unknown) => {
        if (mine.get(name) === flight) mine.delete(name);
        throw error;
      },
    );
    const flight: Flight = { answer, abort, waiting: 0 };
    mine.set(name, flight);
    return flight;
  }

  async function join(name: string, flight: Flight, signal: AbortSignal): Promise<Verdict> {
    const passengers = flights;
    flight.waiting++;
    let leave: (() => void) | undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason);
      signal.addEventListener("abort", leave, { once: true });
    });
    try {
      return await Promise.race([flight.answer, left]);
    } finally {
      if (leave !== undefined) signal.removeEventListener("abort", leave);
      if (--flight.waiting === 0) {
        if (passengers.get(name) === flight) passengers.delete(name);
        flight.abort.abort();
      }
    }
  }

  return {
    recall: (fields) => remembered(nameOf(fields)),
    resolve(fields, untilGone, verify) {
      const name = nameOf(fields);
      const verdict = remembered(name);
      if (verdict !== undefined) return verdict;
      const signal = untilGone();
      if (signal.aborted) return Promise.reject(signal.reason);
      return join(name, flights.get(name) ?? takeOff(name, verify), signal);
    },
    purge(concerned) {
      flights = new Map();
      if (concerned === undefined) entries = new Map();
      else for (const [name, { verdict }] of entries) if (concerned(verdict.principal)) entries.delete(name);
    },
    get size() {
      return entries.size;
    },
  };
}

/** What is no time at all makes nothing be remembered: it may come from a backend without types. */
function lifeOf({ rememberFor }: AuthenticatedVerdict, life: number): number {
  if (rememberFor === undefined) return life;
  return rememberFor > 0 ? Math.min(rememberFor, life) : 0;
}

function isSuccess(verdict: Verdict): verdict is Success {
  return verdict.outcome === "authenticated" || verdict.outcome === "anonymous";
}

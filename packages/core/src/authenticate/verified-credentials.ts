import { type Principal, parseDuration } from "@registry-gate/auth";
import type { LoginCacheOptions } from "../options/options.ts";
import { keyedHash } from "./keyed-hash.ts";
import type { AnonymousVerdict, AuthenticatedVerdict, Verdict } from "./verdict.ts";

/** Remembers who was authenticated, so that a password is checked once a minute and client, not once a request. */
export interface VerifiedCredentials {
  /** The remembered verdict. */
  recall(fields: readonly string[]): Verdict | undefined;
  /**
   * The remembered verdict, or else the one that `verify` gives; of several callers with equal fields at the same time
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

/** A verification in progress; callers with equal fields wait for it together. */
interface Verification {
  readonly verdict: Promise<Verdict>;
  readonly abort: AbortController;
  waiters: number;
}

/** Success is held for `ttl`, and no longer than the identity itself holds. */
export function verifiedCredentials(options: LoginCacheOptions = {}): VerifiedCredentials {
  const { ttl = "60s", maxEntries = 10_000 } = options;
  const life = parseDuration(ttl) ?? 0;
  const nameOf = keyedHash();
  // In the order of their insertion, which is that of their going stale: the time to live is the same for all.
  let entries = new Map<string, Entry>();
  let inFlight = new Map<string, Verification>();

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
    entries.set(name, { verdict, staleAt: now + life, expiresAt: verdict.expiresAt ?? Number.POSITIVE_INFINITY });
  }

  function startVerification(name: string, verify: (signal: AbortSignal) => Promise<Verdict>): Verification {
    const abort = new AbortController();
    const started = inFlight;
    const verdict = verify(abort.signal).then(
      (result) => {
        if (started.get(name) === verification) started.delete(name);
        // Not after a purge: the verdict may be based on data that has changed since.
        if (isSuccess(result) && started === inFlight) remember(name, result);
        return result;
      },
      (error: unknown) => {
        if (started.get(name) === verification) started.delete(name);
        throw error;
      },
    );
    const verification: Verification = { verdict, abort, waiters: 0 };
    started.set(name, verification);
    return verification;
  }

  async function join(name: string, verification: Verification, signal: AbortSignal): Promise<Verdict> {
    const joined = inFlight;
    verification.waiters++;
    let leave: (() => void) | undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason);
      signal.addEventListener("abort", leave, { once: true });
    });
    try {
      return await Promise.race([verification.verdict, left]);
    } finally {
      if (leave !== undefined) signal.removeEventListener("abort", leave);
      if (--verification.waiters === 0) {
        if (joined.get(name) === verification) joined.delete(name);
        verification.abort.abort();
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
      return join(name, inFlight.get(name) ?? startVerification(name, verify), signal);
    },
    purge(concerned) {
      inFlight = new Map();
      if (concerned === undefined) entries = new Map();
      else for (const [name, { verdict }] of entries) if (concerned(verdict.principal)) entries.delete(name);
    },
    get size() {
      return entries.size;
    },
  };
}

function isSuccess(verdict: Verdict): verdict is Success {
  return verdict.outcome === "authenticated" || verdict.outcome === "anonymous";
}

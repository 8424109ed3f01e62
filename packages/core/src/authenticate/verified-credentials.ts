import { type Principal, parseDuration } from "@registry-gate/auth";
import { type LoginCache, loginCache } from "../observe/channels.ts";
import type { LoginCacheOptions } from "../options/options.ts";
import { keyedHash } from "./keyed-hash.ts";
import type { AnonymousVerdict, AuthenticatedVerdict, Verdict } from "./verdict.ts";

/** Caches successful logins, so that a password is verified once a minute and client instead of with every request. */
export interface VerifiedCredentials {
  /** The name of a login in the cache. It reveals nothing about the login. */
  nameOf(fields: readonly string[]): string;
  /** The cached verdict about the login of this name. */
  recall(name: string): Verdict | undefined;
  /**
   * The cached verdict, or else the one that `verify` gives. Concurrent callers with equal fields share one
   * verification. Only success is cached.
   *
   * @param untilGone Creates the signal that ends the wait of this caller. The signal of `verify` aborts when no caller
   * waits.
   */
  resolve(
    fields: readonly string[],
    untilGone: () => AbortSignal,
    verify: (signal: AbortSignal) => Promise<Verdict>,
  ): Verdict | Promise<Verdict>;
  /**
   * Removes all entries, or those that `concerned` selects. Results of verifications in progress are not cached either,
   * since their users are not known yet.
   */
  purge(concerned?: (principal: Principal) => boolean): void;
  /** The number of entries. */
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

/** Entries expire after `ttl`, or earlier with the identity. */
export function verifiedCredentials(options: LoginCacheOptions = {}): VerifiedCredentials {
  const { ttl = "60s", maxEntries = 10_000 } = options;
  const life = parseDuration(ttl) ?? 0;
  const nameOf = keyedHash();
  // In the order of insertion, which is the order of expiry unless a backend allows less time.
  let entries = new Map<string, Entry>();
  let inFlight = new Map<string, Verification>();

  function remembered(name: string): Verdict | undefined {
    const entry = entries.get(name);
    if (entry === undefined) return undefined;
    if (performance.now() < entry.staleAt && Date.now() < entry.expiresAt) return entry.verdict;
    entries.delete(name);
    return undefined;
  }

  function publish(event: LoginCache["event"]): void {
    loginCache.publish(() => ({ event, entries: entries.size }));
  }

  function noted(verdict: Verdict | undefined): Verdict | undefined {
    if (verdict !== undefined) publish("hit");
    return verdict;
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
    nameOf,
    recall: (name) => noted(remembered(name)),
    resolve(fields, untilGone, verify) {
      const name = nameOf(fields);
      const verdict = noted(remembered(name));
      if (verdict !== undefined) return verdict;
      const signal = untilGone();
      if (signal.aborted) return Promise.reject(signal.reason);
      publish(inFlight.has(name) ? "shared" : "miss");
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

/** What is no time at all makes nothing be remembered: it may come from a backend without types. */
function lifeOf({ rememberFor }: AuthenticatedVerdict, life: number): number {
  if (rememberFor === undefined) return life;
  return rememberFor > 0 ? Math.min(rememberFor, life) : 0;
}

function isSuccess(verdict: Verdict): verdict is Success {
  return verdict.outcome === "authenticated" || verdict.outcome === "anonymous";
}

import { type Fault, parseDuration } from "@registry-gate/auth";
import type { CounterStore } from "./counters.ts";
import type { Backoff, Limit } from "./limiter.ts";
import { memoryCounters } from "./memory-counters.ts";

/** How failed logins are limited. */
export interface ThrottleOptions {
  /** How many logins from one address may fail within a time. Default `100/1m`. */
  readonly perAddress?: string;
  /** How many logins of one user from one address may fail within a time. Default `10/5m`. */
  readonly perUserAndAddress?: string;
  /** How long to wait after a failure beyond these, at first and at most: twice as long each time. Default `1s..15m`. */
  readonly backoff?: string;
  /** How many bits of an IPv6 address are one client. Default 64. */
  readonly ipv6Prefix?: number;
  /** Where the counts are kept. Default: in the memory of this process. */
  readonly store?: CounterStore;
}

/** {@link ThrottleOptions} that have been read. */
export interface ResolvedThrottle {
  readonly perAddress: Limit;
  readonly perUserAndAddress: Limit;
  readonly backoff: Backoff;
  readonly ipv6Prefix: number;
  readonly store: CounterStore;
}

const KNOWN = new Set(["perAddress", "perUserAndAddress", "backoff", "ipv6Prefix", "store"]);

/** Finds all faults; paths start at the options. */
export function validateThrottle(options: ThrottleOptions): Fault[] {
  const faults: Fault[] = [];
  const fault = (key: string, message: string): void => void faults.push({ path: [key], message });
  for (const key of Object.keys(options)) if (!KNOWN.has(key)) fault(key, "is not a known option");
  for (const key of ["perAddress", "perUserAndAddress"] as const) {
    if (options[key] !== undefined && parseLimit(options[key]) === undefined) {
      fault(key, "must be a number of failures within a time, such as 10/5m");
    }
  }
  if (options.backoff !== undefined && parseBackoff(options.backoff) === undefined) {
    fault("backoff", "must be a shortest and a longest time, such as 1s..15m");
  }
  const { ipv6Prefix } = options;
  if (ipv6Prefix !== undefined && !(Number.isInteger(ipv6Prefix) && ipv6Prefix >= 1 && ipv6Prefix <= 128)) {
    fault("ipv6Prefix", "must be a whole number from 1 to 128");
  }
  return faults;
}

/** @param options Without a fault; of what has one, the default counts. */
export function resolveThrottle(options: ThrottleOptions): ResolvedThrottle {
  const { perAddress, perUserAndAddress, backoff, ipv6Prefix = 64, store = memoryCounters() } = options;
  return {
    perAddress: parseLimit(perAddress) ?? { failures: 100, window: 60_000 },
    perUserAndAddress: parseLimit(perUserAndAddress) ?? { failures: 10, window: 300_000 },
    backoff: parseBackoff(backoff) ?? { first: 1000, longest: 900_000 },
    ipv6Prefix,
    store,
  };
}

function parseLimit(text: string | undefined): Limit | undefined {
  const [, count, time = ""] = /^(\d{1,9})\/([^/]{1,20})$/.exec(text ?? "") ?? [];
  const failures = Number(count);
  const window = parseDuration(time);
  return failures >= 1 && window !== undefined && window >= 1 ? { failures, window } : undefined;
}

function parseBackoff(text: string | undefined): Backoff | undefined {
  const [from = "", to = "", ...more] = (text ?? "").split("..", 3);
  const first = parseDuration(from);
  const longest = parseDuration(to);
  if (first === undefined || longest === undefined || more.length > 0 || first < 1 || longest < first) return undefined;
  return { first, longest };
}

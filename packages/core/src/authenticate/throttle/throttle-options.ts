import { parseDuration } from "@registry-gate/auth";
import { z } from "zod";
import type { OptionShape } from "../../options/option-shape.ts";
import type { CounterStore } from "./counters.ts";
import type { Backoff, Limit } from "./limiter.ts";
import { memoryCounters } from "./memory-counters.ts";

/** How failed logins are limited. */
export interface ThrottleOptions {
  /** The number of failed logins from one address within a time. Default `100/1m`. */
  readonly perAddress?: string;
  /** The number of failed logins of one user from one address within a time. Default `10/5m`. */
  readonly perUserAndAddress?: string;
  /** The first and the longest wait after a failure beyond these limits; it doubles each time. Default `1s..15m`. */
  readonly backoff?: string;
  /** The prefix length of an IPv6 address that identifies a client. Default 64. */
  readonly ipv6Prefix?: number;
  /** The storage of the counts. Default: the memory of this process. */
  readonly store?: CounterStore;
}

/** Parsed {@link ThrottleOptions}. */
export interface ResolvedThrottle {
  readonly perAddress: Limit;
  readonly perUserAndAddress: Limit;
  readonly backoff: Backoff;
  readonly ipv6Prefix: number;
  readonly store: CounterStore;
}

const LIMIT_FORM = "must be a number of failures within a time, such as 10/5m";
const BACKOFF_FORM = "must be a shortest and a longest time, such as 1s..15m";
const PREFIX_FORM = "must be a whole number from 1 to 128";

/** The schema of {@link ThrottleOptions}. */
export const throttleOptionsSchema: z.ZodType<ThrottleOptions> = z.strictObject(
  {
    perAddress: z
      .string(LIMIT_FORM)
      .refine((text) => parseLimit(text) !== undefined, LIMIT_FORM)
      .exactOptional(),
    perUserAndAddress: z
      .string(LIMIT_FORM)
      .refine((text) => parseLimit(text) !== undefined, LIMIT_FORM)
      .exactOptional(),
    backoff: z
      .string(BACKOFF_FORM)
      .refine((text) => parseBackoff(text) !== undefined, BACKOFF_FORM)
      .exactOptional(),
    ipv6Prefix: z.int(PREFIX_FORM).min(1, PREFIX_FORM).max(128, PREFIX_FORM).exactOptional(),
    store: z.custom<CounterStore>(isCounterStore, "must have the method counters").exactOptional(),
  } satisfies OptionShape<ThrottleOptions>,
  "must be false, a throttle, or hold its options",
);

/** @param options Validated; an invalid value falls back to the default. */
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

function isCounterStore(value: unknown): boolean {
  return typeof value === "object" && value !== null && "counters" in value && typeof value.counters === "function";
}

import { type LinkedList, type LinkedNode, linkedList } from "@registry-gate/auth-kit";
import type { CounterStore, Counters } from "./counters.ts";

/** Options of {@link memoryCounters}. */
export interface MemoryCountersOptions {
  /** The maximum number of counts in each namespace. Default 50 000, of about 250 bytes each. */
  readonly maxEntries?: number;
}

/** Keeps counts in the memory of this process. */
export function memoryCounters({ maxEntries = 50_000 }: MemoryCountersOptions = {}): CounterStore {
  const spaces = new Map<string, Counters>();
  return {
    counters(space) {
      const counters = spaces.get(space) ?? createCounters(maxEntries);
      spaces.set(space, counters);
      return counters;
    },
  };
}

interface Entry {
  readonly key: string;
  value: number;
  /** On the monotonic clock, in milliseconds. */
  expiresAt: number;
  place: LinkedNode<Entry> | undefined;
}

/** Counts from this value on have the same priority. */
const TOP = 31;
/** How many entries are checked for expiry with each new one. */
const SWEPT = 2;

/**
 * When full, evicts the lowest count, among equals the least recently changed: to evict a high one, an attacker must
 * cause as many failures for every other key.
 */
function createCounters(maxEntries: number): Counters {
  const entries = new Map<string, Entry>();
  const levels: readonly LinkedList<Entry>[] = Array.from({ length: TOP + 1 }, () => linkedList<Entry>());
  let sweep = entries.values();

  function find(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (entry === undefined || performance.now() < entry.expiresAt) return entry;
    forget(entry);
    return undefined;
  }

  function forget(entry: Entry): void {
    unlink(entry);
    entries.delete(entry.key);
  }

  function levelOf({ value }: Entry): LinkedList<Entry> | undefined {
    return levels[Math.min(TOP, Math.max(0, Math.trunc(value)))];
  }

  function unlink(entry: Entry): void {
    if (entry.place !== undefined) levelOf(entry)?.remove(entry.place);
    entry.place = undefined;
  }

  function change(entry: Entry, value: number): void {
    unlink(entry);
    entry.value = value;
    if (value > 0) entry.place = levelOf(entry)?.append(entry);
    else entries.delete(entry.key);
  }

  function create(key: string, value: number, ttl: number): void {
    sweepSome();
    if (entries.size >= maxEntries) evict();
    const entry: Entry = { key, value: 0, expiresAt: performance.now() + ttl, place: undefined };
    entries.set(key, entry);
    change(entry, value);
  }

  function sweepSome(): void {
    for (let looked = 0; looked < SWEPT; looked++) {
      const next = sweep.next();
      if (next.done === true) sweep = entries.values();
      else find(next.value.key);
    }
  }

  function evict(): void {
    const lowest = levels.find((level) => level.first !== undefined)?.first;
    if (lowest !== undefined) forget(lowest.value);
  }

  return {
    async get(key) {
      const entry = find(key);
      return entry && { value: entry.value, expiresIn: entry.expiresAt - performance.now() };
    },
    async add(key, amount, ttl) {
      const entry = find(key);
      const sum = (entry?.value ?? 0) + amount;
      if (entry !== undefined) change(entry, sum);
      else if (sum > 0) create(key, sum, ttl);
      return sum;
    },
    async set(key, value, ttl) {
      const entry = find(key);
      if (entry !== undefined) forget(entry);
      if (value > 0) create(key, value, ttl);
    },
    async extend(key, ttl) {
      const entry = find(key);
      if (entry !== undefined) entry.expiresAt = Math.max(entry.expiresAt, performance.now() + ttl);
    },
    async delete(key) {
      const entry = find(key);
      if (entry !== undefined) forget(entry);
    },
  };
}

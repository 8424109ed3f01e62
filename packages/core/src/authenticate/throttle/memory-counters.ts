import { type LinkedList, type LinkedNode, linkedList } from "@registry-gate/auth-kit";
import type { CounterStore, Counters } from "./counters.ts";

/** Options of {@link memoryCounters}. */
export interface MemoryCountersOptions {
  /** How many numbers each space holds at most. Default 50 000, of some 250 bytes each. */
  readonly maxEntries?: number;
}

/** Counts in the memory of this process. */
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

/** Numbers of this size and above are equally worth keeping. */
const TOP = 31;
/** How many entries are looked at for each that is added, to find those that have expired. */
const SWEPT = 2;

/**
 * Where there is no more place, the lowest number goes, of several the one that has not changed for the longest: to have
 * a high one forgotten, somebody must bring about as many failures for every other key.
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

import {
  maxListed,
  notANumber,
  requireAmount,
  requireKey,
  requirePrefix,
  requireTtl,
  requireValue,
  tooMany,
} from "../bounds.ts";
import type { StateStore } from "../state-store.ts";
import type { EntryTable, Purpose, TableEntry, Transact } from "./entry-table.ts";

/** How many expired entries are removed by one change at most, and how often there is a look at them, in milliseconds. */
const sweepLimit = 500;
const sweepInterval = 10_000;

/** A store on a table: what each operation means, for all that hold a table. */
export function tableStore(transact: Transact): Omit<StateStore, "check" | "close"> {
  let nextSweep = Number.NEGATIVE_INFINITY;

  function change<T>(purpose: Exclude<Purpose, "read">, work: (table: EntryTable, now: number) => T): Promise<T> {
    return transact(purpose, (table) => {
      const now = table.now();
      const result = work(table, now);
      // A clock that was put back must not end the sweeping.
      if (now >= nextSweep || now < nextSweep - sweepInterval) {
        const full = table.sweep(now, sweepLimit) === sweepLimit;
        nextSweep = full ? now : now + sweepInterval;
      }
      return result;
    });
  }

  return {
    async get(key) {
      requireKey(key);
      return transact("read", (table) => live(table, key, table.now())?.value);
    },
    async getWithTtl(key) {
      requireKey(key);
      return transact("read", (table) => {
        const now = table.now();
        const entry = live(table, key, now);
        return entry && { value: entry.value, ttl: entry.expiresAt === undefined ? undefined : entry.expiresAt - now };
      });
    },
    async set(key, value, ttl) {
      requireKey(key);
      requireValue(value);
      const time = optionalTtl(ttl);
      await change("write", (table, now) => table.write(key, { value, expiresAt: expiry(now, time) }));
    },
    async add(key, value, ttl) {
      requireKey(key);
      requireValue(value);
      const time = optionalTtl(ttl);
      return change("write", (table, now) => {
        if (live(table, key, now) !== undefined) return false;
        table.write(key, { value, expiresAt: expiry(now, time) });
        return true;
      });
    },
    async replace(key, expected, value, ttl) {
      requireKey(key);
      requireValue(value);
      const time = optionalTtl(ttl);
      return change("write", (table, now) => {
        const entry = live(table, key, now);
        if (entry?.value !== expected) return false;
        table.write(key, { value, expiresAt: expiry(now, time) ?? entry.expiresAt });
        return true;
      });
    },
    async delete(key) {
      requireKey(key);
      return change("write", (table, now) => {
        const found = live(table, key, now) !== undefined;
        table.remove(key);
        return found;
      });
    },
    async list(prefix) {
      requirePrefix(prefix);
      const entries = await transact("read", (table) => table.list(prefix, table.now(), maxListed + 1));
      if (entries.length > maxListed) throw tooMany();
      return entries;
    },
    async increment(key, amount, ttl) {
      requireKey(key);
      requireAmount(amount);
      const time = requireTtl(ttl);
      return change("count", (table, now) => {
        const entry = live(table, key, now);
        const sum = wholeNumber(entry?.value ?? "0") + amount;
        if (!Number.isSafeInteger(sum)) throw notANumber();
        if (sum > 0) table.write(key, { value: String(sum), expiresAt: entry ? entry.expiresAt : now + time });
        else table.remove(key);
        return sum;
      });
    },
    async extend(key, ttl) {
      requireKey(key);
      const time = requireTtl(ttl);
      return change("count", (table, now) => {
        const entry = live(table, key, now);
        if (entry === undefined) return false;
        if (entry.expiresAt !== undefined && entry.expiresAt < now + time)
          table.write(key, { value: entry.value, expiresAt: now + time });
        return true;
      });
    },
  };
}

function live(table: EntryTable, key: string, now: number): TableEntry | undefined {
  const entry = table.read(key);
  return entry?.expiresAt === undefined || now < entry.expiresAt ? entry : undefined;
}

function optionalTtl(ttl: number | undefined): number | undefined {
  return ttl === undefined ? undefined : requireTtl(ttl);
}

function expiry(now: number, ttl: number | undefined): number | undefined {
  return ttl === undefined ? undefined : now + ttl;
}

/** The form in which Redis takes a number too. */
function wholeNumber(text: string): number {
  const value = /^(?:0|-?[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw notANumber();
  return value;
}

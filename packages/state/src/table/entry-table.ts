import type { StateEntry } from "../state-store.ts";

export interface TableEntry {
  readonly value: string;
  /** On the clock of the table, in milliseconds. `undefined`: it stays. */
  readonly expiresAt: number | undefined;
}

/** Entries by key, whether or not they have expired. It is used within one transaction. */
export interface EntryTable {
  /** The time, in milliseconds, the same for all who share the table. */
  now(): number;
  read(key: string): TableEntry | undefined;
  write(key: string, entry: TableEntry): void;
  remove(key: string): void;
  /** Entries that have not expired at `now`, in the order of their keys, at most `limit`. */
  list(prefix: string, now: number, limit: number): readonly StateEntry[];
  /**
   * Removes at most `limit` entries that have expired at `now`.
   *
   * @returns how many.
   */
  sweep(now: number, limit: number): number;
}

/**
 * What a transaction is for: `read` changes nothing; `count` may be lost when the machine loses power; `write` may not,
 * for what was revoked must not come back.
 */
export type Purpose = "read" | "count" | "write";

/** Does work on a table that nobody else changes meanwhile. */
export type Transact = <T>(purpose: Purpose, work: (table: EntryTable) => T) => Promise<T>;

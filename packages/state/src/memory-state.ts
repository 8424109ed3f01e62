import type { StateStore } from "./state-store.ts";
import { StateUnavailableError } from "./state-unavailable-error.ts";
import type { EntryTable, TableEntry } from "./table/entry-table.ts";
import { tableStore } from "./table/table-store.ts";

/** Options of {@link memoryState}. */
export interface MemoryStateOptions {
  /** How many entries are held at most; beyond them what would make a new one fails. Default 100,000. */
  readonly maxEntries?: number;
}

/** A store in the memory of this process: nothing is shared, and nothing outlives it. */
export function memoryState({ maxEntries = 100_000 }: MemoryStateOptions = {}): StateStore {
  const entries = new Map<string, TableEntry>();
  let closed = false;

  function requireOpen(): void {
    if (closed) throw new StateUnavailableError("it is closed");
  }

  const table: EntryTable = {
    // Unlike the time of day it never goes back.
    now: () => performance.now(),
    read: (key) => entries.get(key),
    write(key, entry) {
      if (entries.size >= maxEntries && !entries.has(key)) table.sweep(table.now(), maxEntries);
      if (entries.size >= maxEntries && !entries.has(key))
        throw new StateUnavailableError(`it holds ${maxEntries} entries`);
      entries.set(key, entry);
    },
    remove: (key) => void entries.delete(key),
    list(prefix, now, limit) {
      const found = [...entries].filter(([key, { expiresAt = Infinity }]) => key.startsWith(prefix) && now < expiresAt);
      found.sort(([one], [other]) => (one < other ? -1 : 1));
      return found.slice(0, limit).map(([key, { value }]) => ({ key, value }));
    },
    sweep(now, limit) {
      let removed = 0;
      for (const [key, { expiresAt = Infinity }] of entries) {
        if (removed === limit) break;
        if (now < expiresAt) continue;
        entries.delete(key);
        removed++;
      }
      return removed;
    },
  };

  const store = tableStore(async (_, work) => {
    requireOpen();
    return work(table);
  });
  return {
    ...store,
    async check() {
      requireOpen();
    },
    async close() {
      closed = true;
      entries.clear();
    },
  };
}

import type { ConnectionLimit, Waiting } from "../connection-limit.ts";
import { bufferPool } from "./buffer-pool.ts";
import { type DirectConnection, type DirectConnectionSettings, directConnection } from "./direct-connection.ts";
import { sharedSize } from "./read-memory.ts";

/** The direct connections to one registry. */
export interface ConnectionPool {
  /** Whether there is an idle connection for this key. */
  hasIdle(key: string): boolean;
  /** Takes the connection of this key that became idle last; `undefined` without one. */
  take(key: string): DirectConnection | undefined;
  /** Opens a connection. When idle it is kept for the same key. */
  open(key: string): DirectConnection;
  close(): void;
}

export type ConnectionPoolSettings = Omit<DirectConnectionSettings, "buffers" | "shared" | "freed" | "closed">;

/**
 * The memory that large bodies are read into. Beyond it they are read in small chunks, so that slow clients cannot exhaust
 * memory. A read of 512 KiB costs the least for each byte.
 */
const bodyMemory = { budget: 12 * 2 ** 20, largest: 524_288, smallest: 32_768, maxKept: 4 * 2 ** 20 };

export function connectionPool(settings: ConnectionPoolSettings, limit: ConnectionLimit): ConnectionPool {
  const buffers = bufferPool(bodyMemory);
  const shared = Buffer.allocUnsafeSlow(sharedSize);
  const all = new Set<DirectConnection>();
  const shelves = new Map<string, Shelf>();
  let closing = false;

  function shelfOf(key: string): Shelf {
    const known = shelves.get(key);
    if (known !== undefined) return known;
    const shelf: Shelf = { open: 0, idle: [] };
    shelves.set(key, shelf);
    return shelf;
  }

  return {
    hasIdle: (key) => (shelves.get(key)?.idle.length ?? 0) > 0,
    take(key) {
      const idle = shelves.get(key)?.idle;
      for (let last = idle?.pop(); last !== undefined; last = idle?.pop()) {
        limit.busy(last.waiting);
        if (!last.connection.destroyed) return last.connection;
      }
      return undefined;
    },
    open(key) {
      limit.opening();
      const shelf = shelfOf(key);
      shelf.open++;
      const connection = directConnection({
        ...settings,
        buffers,
        shared,
        freed(free) {
          if (closing) return free.destroy();
          const kept: Kept = { connection: free, waiting: limit.idle(free) };
          if (!free.destroyed) shelf.idle.push(kept);
        },
        closed(gone) {
          limit.closed();
          all.delete(gone);
          const index = shelf.idle.findIndex((kept) => kept.connection === gone);
          for (const kept of index === -1 ? [] : shelf.idle.splice(index, 1)) limit.busy(kept.waiting);
          shelf.open--;
          if (shelf.open === 0) shelves.delete(key);
        },
      });
      all.add(connection);
      return connection;
    },
    close() {
      closing = true;
      for (const connection of all) connection.destroy();
    },
  };
}

/** The connections of one key. It is kept while one of them is open, so that successive requests allocate nothing. */
interface Shelf {
  open: number;
  /** The one that became idle last comes last. */
  readonly idle: Kept[];
}

interface Kept {
  readonly connection: DirectConnection;
  readonly waiting: Waiting;
}

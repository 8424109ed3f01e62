import type { ConnectionLimit } from "../connection-limit.ts";
import { bufferPool } from "./buffer-pool.ts";
import { type ReadConnection, type ReadConnectionSettings, readConnection } from "./read-connection.ts";

/** The connections to one registry. */
export interface ReadPool {
  /** Whether a connection of this key is idle. */
  hasIdle(key: string): boolean;
  /** The one of this key that became idle last; `undefined` where there is none. */
  take(key: string): ReadConnection | undefined;
  /** Opens one. When idle it is kept for the same key. */
  open(key: string): ReadConnection;
  close(): void;
}

export type ReadPoolSettings = Omit<ReadConnectionSettings, "buffers" | "freed" | "closed">;

/** One read of a large body takes so many bytes; two buffers are in use for each. */
const largeSize = 262_144;
/** Beyond these, bodies are read into small memory: slow clients cannot make the gate hold more. */
const maxLarge = 64;
const maxSpare = 16;

export function readPool(settings: ReadPoolSettings, limit: ConnectionLimit): ReadPool {
  const buffers = bufferPool(largeSize, { maxKept: maxSpare, maxInUse: maxLarge });
  const all = new Set<ReadConnection>();
  const idle = new Map<string, ReadConnection[]>();
  let closing = false;

  function forget(key: string, connection: ReadConnection): void {
    limit.busy(connection);
    const list = idle.get(key);
    const index = list?.indexOf(connection) ?? -1;
    if (list === undefined || index === -1) return;
    list.splice(index, 1);
    if (list.length === 0) idle.delete(key);
  }

  return {
    hasIdle: (key) => idle.has(key),
    take(key) {
      const list = idle.get(key);
      for (let last = list?.pop(); last !== undefined; last = list?.pop()) {
        limit.busy(last);
        if (list?.length === 0) idle.delete(key);
        if (!last.destroyed) return last;
      }
      return undefined;
    },
    open(key) {
      limit.opening();
      const connection = readConnection({
        ...settings,
        buffers,
        freed(free) {
          if (closing) return free.destroy();
          const list = idle.get(key);
          if (list === undefined) idle.set(key, [free]);
          else list.push(free);
          limit.idle(free);
        },
        closed(gone) {
          limit.closed();
          all.delete(gone);
          forget(key, gone);
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

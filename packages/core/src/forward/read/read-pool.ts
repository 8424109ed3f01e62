import { bufferPool } from "./buffer-pool.ts";
import { type ReadConnection, type ReadConnectionSettings, readConnection } from "./read-connection.ts";

/** The connections to one registry. */
export interface ReadPool {
  /** The one that became idle last, or else a new one. */
  take(): ReadConnection;
  fresh(): ReadConnection;
  close(): void;
}

export type ReadPoolSettings = Omit<ReadConnectionSettings, "pool" | "freed" | "closed"> & {
  /** How many idle connections are kept. */
  readonly mostIdle: number;
};

/** One read of a large body takes so many bytes; two buffers are in use for each. */
const largeSize = 262_144;
const mostSpare = 16;

export function readPool({ mostIdle, ...settings }: ReadPoolSettings): ReadPool {
  const pool = bufferPool(largeSize, mostSpare);
  const open = new Set<ReadConnection>();
  const idle: ReadConnection[] = [];
  let closing = false;

  function freed(connection: ReadConnection): void {
    if (closing || idle.length >= mostIdle) connection.destroy();
    else idle.push(connection);
  }

  function closed(connection: ReadConnection): void {
    open.delete(connection);
    const index = idle.indexOf(connection);
    if (index !== -1) idle.splice(index, 1);
  }

  function fresh(): ReadConnection {
    const connection = readConnection({ ...settings, pool, freed, closed });
    open.add(connection);
    return connection;
  }

  return {
    take() {
      for (let last = idle.pop(); last !== undefined; last = idle.pop()) if (!last.destroyed) return last;
      return fresh();
    },
    fresh,
    close() {
      closing = true;
      for (const connection of open) connection.destroy();
    },
  };
}

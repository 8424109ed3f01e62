import { type LinkedList, linkedList } from "@registry-gate/auth-kit";
import type { ConnectionLimit } from "../connection-limit.ts";
import { bufferPool } from "./buffer-pool.ts";
import { type ConnectionOwner, DirectConnection, type DirectConnectionSettings } from "./direct-connection.ts";
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

export interface ConnectionPoolSettings extends Omit<DirectConnectionSettings, "buffers" | "shared"> {
  /** How long a connection is kept between two requests, in milliseconds. */
  readonly idleTimeout: number;
}

/**
 * The memory that large bodies are read into. Beyond it they are read in small chunks, so that slow clients cannot exhaust
 * memory. A read of 512 KiB costs the least for each byte.
 */
const bodyMemory = { budget: 12 * 2 ** 20, largest: 524_288, smallest: 32_768, maxKept: 4 * 2 ** 20 };

export function connectionPool(settings: ConnectionPoolSettings, limit: ConnectionLimit): ConnectionPool {
  return new Pool(settings, limit);
}

class Pool implements ConnectionPool {
  readonly shelves: Map<string, Shelf> = new Map();
  readonly limit: ConnectionLimit;
  closing = false;
  readonly #settings: DirectConnectionSettings;
  readonly #idleTimeout: number;
  readonly #all: LinkedList<DirectConnection> = linkedList();
  /** In the order in which they became idle. */
  readonly #idle: LinkedList<DirectConnection> = linkedList();
  #timer: NodeJS.Timeout | undefined;

  constructor({ idleTimeout, ...settings }: ConnectionPoolSettings, limit: ConnectionLimit) {
    this.limit = limit;
    this.#idleTimeout = idleTimeout;
    this.#settings = { ...settings, buffers: bufferPool(bodyMemory), shared: Buffer.allocUnsafeSlow(sharedSize) };
  }

  hasIdle(key: string): boolean {
    return (this.shelves.get(key)?.idle.length ?? 0) > 0;
  }

  take(key: string): DirectConnection | undefined {
    const idle = this.shelves.get(key)?.idle;
    for (let last = idle?.pop(); last !== undefined; last = idle?.pop()) {
      this.unkeep(last);
      if (!last.destroyed) return last;
    }
    return undefined;
  }

  open(key: string): DirectConnection {
    this.limit.opening();
    let shelf = this.shelves.get(key);
    if (shelf === undefined) {
      shelf = new Shelf(key, this);
      this.shelves.set(key, shelf);
    }
    shelf.open++;
    const connection = new DirectConnection(this.#settings, shelf);
    this.#all.moveToEnd(connection.opened);
    return connection;
  }

  close(): void {
    this.closing = true;
    clearTimeout(this.#timer);
    for (let node = this.#all.first; node !== undefined; node = node.next) node.value.destroy();
  }

  /** For {@link Shelf} only. */
  keep(connection: DirectConnection): void {
    this.limit.idle(connection.waiting);
    connection.idleSince = performance.now();
    this.#idle.moveToEnd(connection.kept);
    this.#timer ??= setTimeout(this.#closeOld, this.#idleTimeout).unref();
  }

  /** For {@link Shelf} only. */
  unkeep(connection: DirectConnection): void {
    this.limit.busy(connection.waiting);
    this.#idle.remove(connection.kept);
  }

  /** For {@link Shelf} only. */
  forget(connection: DirectConnection): void {
    this.limit.closed();
    this.#all.remove(connection.opened);
    this.unkeep(connection);
  }

  readonly #closeOld = (): void => {
    this.#timer = undefined;
    // A timer counts in whole milliseconds.
    const due = performance.now() - this.#idleTimeout + 1;
    let oldest = this.#idle.first;
    for (; oldest !== undefined && oldest.value.idleSince <= due; oldest = this.#idle.first) {
      this.#idle.remove(oldest);
      oldest.value.destroy();
    }
    if (oldest === undefined || this.closing) return;
    this.#timer = setTimeout(this.#closeOld, Math.ceil(oldest.value.idleSince - due) + 1).unref();
  };
}

/** The connections of one key. It is kept while one of them is open, so that successive requests allocate nothing. */
class Shelf implements ConnectionOwner {
  open = 0;
  /** The one that became idle last comes last. */
  readonly idle: DirectConnection[] = [];
  readonly #key: string;
  readonly #pool: Pool;

  constructor(key: string, pool: Pool) {
    this.#key = key;
    this.#pool = pool;
  }

  freed(connection: DirectConnection): void {
    if (this.#pool.closing) connection.destroy();
    if (connection.destroyed) return;
    this.#pool.keep(connection);
    this.idle.push(connection);
  }

  closed(connection: DirectConnection): void {
    this.#pool.forget(connection);
    const index = this.idle.indexOf(connection);
    if (index !== -1) this.idle.splice(index, 1);
    this.open--;
    if (this.open === 0) this.#pool.shelves.delete(this.#key);
  }
}

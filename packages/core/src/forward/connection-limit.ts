/** A connection that waits for its next request. */
export interface IdleConnection {
  destroy(): void;
}

/** Counts the connections to one registry, whoever opens them, and closes idle ones where there are too many. */
export interface ConnectionLimit {
  /** To be called before a connection is opened. */
  opening(): void;
  closed(): void;
  idle(connection: IdleConnection): void;
  /** It is in use again, or closed. */
  busy(connection: IdleConnection): void;
}

/**
 * @param maxConnections As many requests are in progress at most, so that one of so many connections is always idle.
 * @param maxIdle How many are kept.
 */
export function connectionLimit(maxConnections: number, maxIdle: number): ConnectionLimit {
  // In the order in which they became idle.
  const idle = new Set<IdleConnection>();
  let open = 0;

  function closeOldest(): void {
    const [oldest] = idle;
    if (oldest === undefined) return;
    idle.delete(oldest);
    oldest.destroy();
  }

  return {
    opening() {
      if (open >= maxConnections) closeOldest();
      open++;
    },
    closed() {
      open--;
    },
    idle(connection) {
      idle.add(connection);
      if (idle.size > maxIdle) closeOldest();
    },
    busy(connection) {
      idle.delete(connection);
    },
  };
}

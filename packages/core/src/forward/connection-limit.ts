import { type LinkedNode, linkedList } from "@registry-gate/auth-kit";

/** A connection that can wait for its next request. */
export interface IdleConnection {
  destroy(): void;
}

/** A connection that waits for its next request. */
export type Waiting = LinkedNode<IdleConnection>;

/** Counts the connections to one registry, whoever opens them, and closes idle ones where there are too many. */
export interface ConnectionLimit {
  /** To be called before a connection is opened. */
  opening(): void;
  closed(): void;
  /** @returns what {@link ConnectionLimit.busy} wants. */
  idle(connection: IdleConnection): Waiting;
  /** It is in use again, or closed. */
  busy(waiting: Waiting): void;
}

/**
 * @param maxConnections As many requests are in progress at most, so that one of so many connections is always idle.
 * @param maxIdle How many are kept.
 */
export function connectionLimit(maxConnections: number, maxIdle: number): ConnectionLimit {
  // In the order in which they became idle.
  const idle = linkedList<IdleConnection>();
  let waiting = 0;
  let open = 0;

  function remove(node: Waiting): void {
    if (!node.linked) return;
    idle.remove(node);
    waiting--;
  }
  function closeOldest(): void {
    const oldest = idle.first;
    if (oldest === undefined) return;
    remove(oldest);
    oldest.value.destroy();
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
      const node = idle.append(connection);
      waiting++;
      if (waiting > maxIdle) closeOldest();
      return node;
    },
    busy: remove,
  };
}

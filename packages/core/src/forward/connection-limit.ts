import { type LinkedNode, linkedList } from "@registry-gate/auth-kit";

/** A connection that can be idle. */
export interface IdleConnection {
  destroy(): void;
}

/** The handle of an idle connection. */
export type Waiting = LinkedNode<IdleConnection>;

/** Counts all connections to one registry, and closes idle ones above the limit. */
export interface ConnectionLimit {
  /** To be called before a connection is opened. */
  opening(): void;
  closed(): void;
  /** @returns the handle for {@link ConnectionLimit.busy}. */
  idle(connection: IdleConnection): Waiting;
  /** It is in use again, or closed. */
  busy(waiting: Waiting): void;
}

/**
 * @param maxConnections Equals the maximum number of concurrent requests, so that one of so many connections is always
 * idle.
 * @param maxIdle The maximum number of idle connections.
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

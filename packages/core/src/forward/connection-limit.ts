import { type LinkedNode, linkedList } from "@registry-gate/auth-kit";

/** A connection that can be idle. */
export interface IdleConnection {
  destroy(): void;
}

/** A connection's place among those that are idle. */
export type Waiting = LinkedNode<IdleConnection>;

/** Counts all connections to one registry, and closes idle ones above the limit. */
export interface ConnectionLimit {
  /** To be called before a connection is opened. */
  opening(): void;
  closed(): void;
  /** It is in no use, and may be closed for another one. */
  idle(waiting: Waiting): void;
  /** It is in use again, or closed. */
  busy(waiting: Waiting): void;
}

/**
 * All may be idle: a connection serves one user alone, and where fewer were kept, more users in turn would open one for each
 * request.
 *
 * @param maxConnections Equals the maximum number of concurrent requests, so that one of so many connections is always
 * idle.
 */
export function connectionLimit(maxConnections: number): ConnectionLimit {
  // In the order in which they became idle.
  const idle = linkedList<IdleConnection>();
  let open = 0;

  function closeOldest(): void {
    const oldest = idle.first;
    if (oldest === undefined) return;
    idle.remove(oldest);
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
    idle: (waiting) => idle.moveToEnd(waiting),
    busy: (waiting) => idle.remove(waiting),
  };
}

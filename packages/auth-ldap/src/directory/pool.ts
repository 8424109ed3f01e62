import { clientNetwork, fairQueue, type ObserveQueue, QueueRefusedError, type Release } from "@registry-gate/auth-kit";
import { aborted, DirectoryError } from "../directory-error.ts";
import type { Session } from "../protocol/session.ts";

export interface PoolOptions {
  /** The most connections. */
  readonly size: number;
  /** After how many milliseconds without use a connection is closed. */
  readonly idle: number;
  /** How many may wait for a connection. */
  readonly maxWaiting: number;
  /** For how long, in milliseconds. */
  readonly waitTimeout: number;
  readonly open: (signal: AbortSignal) => Promise<Session>;
  /** Whether a connection that is free should still be used. */
  readonly preferred: (url: string) => boolean;
  /** Receives an event for each login that waits for a connection. */
  readonly observe?: ObserveQueue;
  /** Receives the error that a use of a connection ends with, before it is decided whether the connection is kept. */
  readonly onFault?: (session: Session, fault: DirectoryError) => void;
}

/** The caller that needs a connection. */
export interface Caller {
  /** The address of the client, so that clients are served in turn. */
  readonly client: string | undefined;
  readonly signal: AbortSignal;
}

/** Connections that are kept, each used by one caller at a time. */
export interface Pool {
  /**
   * Calls `use` with a connection of its own. The connection is kept afterwards if it is still usable.
   *
   * @throws {DirectoryError} and whatever `use` throws.
   */
  use<T>(caller: Caller, use: (session: Session) => Promise<T>): Promise<T>;
  /** Closes the free connections; new ones are opened when they are needed. */
  drop(): void;
  /** Closes the pool. Rejects all waiting callers. */
  close(): void;
}

interface Free {
  readonly session: Session;
  /** When it was used last. */
  readonly since: number;
}

export function createPool(options: PoolOptions): Pool {
  const { size, idle, maxWaiting, waitTimeout, open, preferred, observe = () => {}, onFault = () => {} } = options;
  /** The most recently used last. */
  const free: Free[] = [];
  const used = new Set<Session>();
  // A slot is the right to one connection, so there are never more connections than slots.
  const queue = fairQueue({ concurrency: size, maxWaiting, timeout: waitTimeout, observe });
  let closed = false;
  let sweeping: NodeJS.Timeout | undefined;

  function takeFree(): Session | undefined {
    for (let entry = free.pop(); entry !== undefined; entry = free.pop()) {
      if (entry.session.usable && preferred(entry.session.server)) return entry.session;
      entry.session.close();
    }
    return undefined;
  }

  function keep(session: Session): void {
    const entry: Free = { session, since: performance.now() };
    session.onEnd(() => remove(entry));
    free.push(entry);
    sweeping ??= setTimeout(sweep, idle).unref();
  }

  /** Closes connections that were idle for too long, and schedules the next sweep. */
  function sweep(): void {
    sweeping = undefined;
    const now = performance.now();
    for (const entry of [...free]) if (now - entry.since >= idle) remove(entry);
    const [oldest] = free;
    if (oldest !== undefined) sweeping = setTimeout(sweep, Math.max(1, oldest.since + idle - now)).unref();
  }

  function remove(entry: Free): void {
    const index = free.indexOf(entry);
    if (index === -1) return;
    free.splice(index, 1);
    entry.session.close();
  }

  async function waitForTurn({ client, signal }: Caller): Promise<Release> {
    try {
      return await queue.acquire(clientNetwork(client), signal);
    } catch (error) {
      throw error instanceof QueueRefusedError ? faultOf(error) : error;
    }
  }

  function faultOf({ kind, message }: QueueRefusedError): DirectoryError {
    switch (kind) {
      case "aborted":
        return aborted();
      case "closed":
        return new DirectoryError("connect", "the backend is closed");
      case "timed-out":
        return new DirectoryError("crowded", `no connection was free within ${waitTimeout} ms`);
      case "full":
        return new DirectoryError("crowded", `${maxWaiting} logins are waiting already`);
      default:
        return new DirectoryError("crowded", message);
    }
  }

  return {
    async use(caller, use) {
      if (caller.signal.aborted) throw aborted();
      // Nothing is awaited that need not be: each wait costs a turn of the queue of promises.
      const release = queue.tryAcquire() ?? (await waitForTurn(caller));
      try {
        const session = takeFree() ?? (await open(caller.signal));
        if (closed) {
          session.close();
          throw new DirectoryError("connect", "the backend is closed");
        }
        used.add(session);
        try {
          return await use(session);
        } catch (error) {
          if (error instanceof DirectoryError) onFault(session, error);
          throw error;
        } finally {
          used.delete(session);
          if (!closed && session.usable && preferred(session.server)) keep(session);
          else session.close();
        }
      } finally {
        release();
      }
    },
    drop() {
      for (const entry of [...free]) remove(entry);
    },
    close() {
      closed = true;
      clearTimeout(sweeping);
      queue.close();
      for (const entry of [...free]) remove(entry);
      for (const session of [...used]) session.close();
    },
  };
}

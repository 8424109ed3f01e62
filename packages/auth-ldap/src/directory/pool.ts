import { aborted, DirectoryFault } from "../faults.ts";
import type { Session } from "../protocol/session.ts";

export interface PoolOptions {
  /** The most connections. */
  readonly size: number;
  /** After how many milliseconds without use a connection is closed. */
  readonly idle: number;
  /** How many may wait for a connection. */
  readonly maxWaiting: number;
  /** For how long, in milliseconds. */
  readonly patience: number;
  readonly open: (signal: AbortSignal) => Promise<Session>;
  /** Whether a connection that is free should still be used. */
  readonly preferred: (url: string) => boolean;
}

/** Connections that are kept, each used by one caller at a time. */
export interface Pool {
  /**
   * Calls `use` with a connection of its own. The connection is kept afterwards if it is still usable.
   *
   * @throws {DirectoryFault} and whatever `use` throws.
   */
  use<T>(signal: AbortSignal, use: (session: Session) => Promise<T>): Promise<T>;
  /** Closes the free connections; new ones are opened when they are needed. */
  drop(): void;
  /** Closes the pool. Whoever waits is turned away. */
  close(): void;
}

interface Free {
  readonly session: Session;
  /** When it was used last. */
  readonly since: number;
}

/** What a waiter is given: a free connection, or leave to open one. */
type Turn = Session | "open";

interface Waiter {
  readonly resolve: (turn: Turn) => void;
  readonly reject: (fault: DirectoryFault) => void;
}

export function createPool(options: PoolOptions): Pool {
  const { size, idle, maxWaiting, patience, open, preferred } = options;
  /** The most recently used last. */
  const free: Free[] = [];
  const used = new Set<Session>();
  const waiting = new Set<Waiter>();
  /** Connections that exist or are being opened. */
  let count = 0;
  let closed = false;
  let sweeping: NodeJS.Timeout | undefined;

  function takeFree(): Session | undefined {
    for (let entry = free.pop(); entry !== undefined; entry = free.pop()) {
      if (entry.session.usable && preferred(entry.session.server)) return entry.session;
      discard(entry.session);
    }
    return undefined;
  }

  function discard(session: Session): void {
    session.close();
    leave();
  }

  /** A connection is gone: somebody else may open one. */
  function leave(): void {
    count--;
    const [next] = waiting;
    if (next === undefined || count >= size) return;
    count++;
    next.resolve("open");
  }

  function keep(session: Session): void {
    const [next] = waiting;
    if (next !== undefined) {
      next.resolve(session);
      return;
    }
    const entry: Free = { session, since: performance.now() };
    session.onEnd(() => remove(entry));
    free.push(entry);
    sweeping ??= setTimeout(sweep, idle).unref();
  }

  /** Closes what has not been used for too long, and comes again when the next one may be due. */
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
    discard(entry.session);
  }

  async function acquire(signal: AbortSignal): Promise<Session> {
    if (closed) throw new DirectoryFault("connect", "the backend is closed");
    if (signal.aborted) throw aborted();
    const session = takeFree();
    if (session !== undefined) return session;
    if (count < size) count++;
    else {
      const turn = await waitForTurn(signal);
      if (turn !== "open") return turn;
    }
    try {
      const opened = await open(signal);
      if (!closed) return opened;
      opened.close();
      throw new DirectoryFault("connect", "the backend is closed");
    } catch (error) {
      leave();
      throw error;
    }
  }

  async function waitForTurn(signal: AbortSignal): Promise<Turn> {
    if (waiting.size >= maxWaiting) throw new DirectoryFault("crowded", `${maxWaiting} logins are waiting already`);
    const { promise, resolve, reject } = Promise.withResolvers<Turn>();
    // Whoever has been given a turn no longer waits: that is settled at once, not when the promise is.
    const waiter: Waiter = {
      resolve: (turn) => {
        waiting.delete(waiter);
        resolve(turn);
      },
      reject: (fault) => {
        waiting.delete(waiter);
        reject(fault);
      },
    };
    const timer = setTimeout(
      () => waiter.reject(new DirectoryFault("crowded", `no connection was free within ${patience} ms`)),
      patience,
    );
    const abort = (): void => waiter.reject(aborted());
    signal.addEventListener("abort", abort, { once: true });
    waiting.add(waiter);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }

  return {
    async use(signal, use) {
      const session = await acquire(signal);
      used.add(session);
      try {
        return await use(session);
      } finally {
        used.delete(session);
        if (!closed && session.usable && preferred(session.server)) keep(session);
        else discard(session);
      }
    },
    drop() {
      for (const entry of [...free]) remove(entry);
    },
    close() {
      closed = true;
      clearTimeout(sweeping);
      for (const { reject } of [...waiting]) reject(new DirectoryFault("connect", "the backend is closed"));
      for (const entry of [...free]) remove(entry);
      for (const session of [...used]) session.close();
    },
  };
}

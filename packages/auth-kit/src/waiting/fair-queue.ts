import { timerDelay } from "@registry-gate/auth";
import type { ObserveQueue, QueueLevels, QueueRefusal } from "../observe/queue-event.ts";
import { type LinkedList, type LinkedNode, linkedList } from "./linked-list.ts";
import { createRanking } from "./ranking.ts";

/** Limits of a fair queue. */
export interface FairQueueOptions {
  /** How many may hold a slot at once; at least 1. */
  readonly concurrency: number;
  /** How many may wait in all. */
  readonly maxWaiting: number;
  /** How many of one key may wait. Default {@link maxWaiting}. */
  readonly maxWaitingPerKey?: number;
  /** How long one may wait, in milliseconds. Default: for as long as its signal lets it. */
  readonly timeout?: number;
  /** Receives an event for each caller that finds no free slot. */
  readonly observe?: ObserveQueue;
}

/** The queue gave no slot. */
export class QueueRefusedError extends Error {
  override readonly name = "QueueRefusedError";
  readonly code = "QUEUE_REFUSED";
  readonly kind: QueueRefusal;

  constructor(kind: QueueRefusal, options?: ErrorOptions) {
    super(MESSAGES[kind], options);
    this.kind = kind;
  }
}

const MESSAGES: Readonly<Record<QueueRefusal, string>> = {
  full: "too many are waiting",
  "key-full": "too many of the same client are waiting",
  displaced: "too many of the same client are waiting, and other clients need the place",
  "timed-out": "no slot became free in time",
  aborted: "the request was aborted",
  closed: "the queue is closed",
};

/** Gives a slot back. Calling it again does nothing. */
export type Release = () => void;

/**
 * Slots for work of which only so much may go on at once, given to clients in turn.
 *
 * Each key, such as a client's address, has a queue of its own, in order of arrival. Free slots go to the keys one after
 * the other, one slot a turn: however many of one key wait, another key's first waiter waits for one turn of each key
 * that came before it. Every operation takes the same time, however many wait.
 */
export interface FairQueue {
  /**
   * A slot, where one is free: then nobody waits. Allocates the returned function alone.
   *
   * @returns `undefined` where none is free, and where the queue is closed.
   */
  tryAcquire(): Release | undefined;
  /**
   * A slot, now or in the key's turn. An abort after the slot was given has no effect: it must be given back.
   *
   * @throws {QueueRefusedError} Where the queue is full, the key with the most waiters loses its last one; that is the
   * key that came only where no other has at least two more.
   */
  acquire(key: string, signal?: AbortSignal): Promise<Release>;
  /** More slots are given at once; where there are fewer, those in use stay until they are given back. */
  setConcurrency(concurrency: number): void;
  /** Rejects all current and future waiters. Slots in use stay until they are given back. */
  close(): void;
  /** Resolves when nobody holds a slot and nobody waits, at once where that is so. */
  idle(): Promise<void>;
  /** How many slots are in use. */
  readonly held: number;
  /** How many wait. */
  readonly waiting: number;
}

interface Waiter {
  readonly grant: () => void;
  readonly refuse: (error: QueueRefusedError) => void;
}

/** The waiters of one key. A key is forgotten with its last waiter. */
interface Line {
  readonly waiters: LinkedList<Waiter>;
  length: number;
}

/** @throws {RangeError} for a number that is not whole, or too small. */
export function fairQueue(options: FairQueueOptions): FairQueue {
  const { maxWaiting, maxWaitingPerKey = maxWaiting, timeout, observe = () => {} } = options;
  let concurrency = wholeNumber(options.concurrency, 1, "concurrency");
  wholeNumber(maxWaiting, 0, "maxWaiting");
  wholeNumber(maxWaitingPerKey, 0, "maxWaitingPerKey");
  if (timeout !== undefined) wholeNumber(timeout, 1, "timeout");

  const lines = new Map<string, LinkedNode<Line>>();
  /** The keys that wait. The first one is served next, and is then the last. */
  const turns = linkedList<Line>();
  const ranking = createRanking<Line>();
  const onIdle: (() => void)[] = [];
  let held = 0;
  let waiting = 0;
  let closed = false;
  const levels = (): QueueLevels => ({ waiting, inUse: held });

  /** A function for each holder, so that a second release is not taken for that of another holder. */
  function take(): Release {
    held++;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      held--;
      serve();
      settle();
    };
  }

  function serve(): void {
    while (held < concurrency && turns.first !== undefined) {
      const turn = turns.first;
      turns.moveToEnd(turn);
      turn.value.waiters.first?.value.grant();
    }
  }

  function settle(): void {
    if (held > 0 || waiting > 0) return;
    for (const resolve of onIdle.splice(0)) resolve();
  }

  /** @returns a function that takes the waiter out again. */
  function enter(key: string, waiter: Waiter): () => void {
    const turn = lines.get(key) ?? turns.append({ waiters: linkedList(), length: 0 });
    lines.set(key, turn);
    const line = turn.value;
    const node = line.waiters.append(waiter);
    ranking.set(line, ++line.length);
    waiting++;
    return () => {
      line.waiters.remove(node);
      ranking.set(line, --line.length);
      waiting--;
      if (line.length > 0) return;
      turns.remove(turn);
      lines.delete(key);
    };
  }

  /** Why one more of this key cannot wait. Where another key has to make place for it, it has done so afterwards. */
  function refusalOf(key: string): QueueRefusal | undefined {
    const own = lines.get(key)?.value.length ?? 0;
    const mayWait = own < maxWaitingPerKey;
    if (waiting < maxWaiting) return mayWait ? undefined : "key-full";
    const longest = ranking.highest;
    // With one more only, they would change places to and fro.
    if (!mayWait || longest === undefined || longest.length <= own + 1) return "full";
    longest.waiters.last?.value.refuse(new QueueRefusedError("displaced"));
    return undefined;
  }

  function wait(key: string, signal: AbortSignal | undefined): Promise<Release> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        depart();
      };
      const waiter: Waiter = {
        grant() {
          leave();
          resolve(take());
          observe(() => ({ event: "granted", milliseconds: performance.now() - since, ...levels() }));
        },
        refuse(error) {
          leave();
          reject(error);
          observe(() => ({
            event: "refused",
            reason: error.kind,
            milliseconds: performance.now() - since,
            ...levels(),
          }));
          settle();
        },
      };
      const abort = (): void => waiter.refuse(aborted(signal));
      const since = performance.now();
      const depart = enter(key, waiter);
      const timer =
        timeout === undefined
          ? undefined
          : setTimeout(() => waiter.refuse(new QueueRefusedError("timed-out")), timerDelay(timeout));
      signal?.addEventListener("abort", abort, { once: true });
      observe(() => ({ event: "waiting", ...levels() }));
    });
  }

  return {
    tryAcquire() {
      return closed || held >= concurrency ? undefined : take();
    },
    acquire(key, signal) {
      if (closed) return Promise.reject(new QueueRefusedError("closed"));
      if (signal?.aborted === true) return Promise.reject(aborted(signal));
      if (held < concurrency) return Promise.resolve(take());
      const refusal = refusalOf(key);
      if (refusal === undefined) return wait(key, signal);
      observe(() => ({ event: "refused", reason: refusal, milliseconds: 0, ...levels() }));
      return Promise.reject(new QueueRefusedError(refusal));
    },
    setConcurrency(next) {
      concurrency = wholeNumber(next, 1, "concurrency");
      serve();
    },
    close() {
      closed = true;
      while (turns.first !== undefined) turns.first.value.waiters.first?.value.refuse(new QueueRefusedError("closed"));
    },
    idle: () =>
      new Promise((resolve) => {
        onIdle.push(resolve);
        settle();
      }),
    get held() {
      return held;
    },
    get waiting() {
      return waiting;
    },
  };
}

function aborted(signal: AbortSignal | undefined): QueueRefusedError {
  return new QueueRefusedError("aborted", { cause: signal?.reason });
}

function wholeNumber(value: number, least: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`${name} must be a whole number of at least ${least}`);
}

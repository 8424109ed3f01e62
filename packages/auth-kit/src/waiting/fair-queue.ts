import { timerDelay } from "@registry-gate/auth";
import type { ObserveQueue, QueueLevels, QueueRefusal } from "../observe/queue-event.ts";
import { type LinkedList, type LinkedNode, linkedList, linkedNode } from "./linked-list.ts";
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

/** Somebody who waits for a slot. One of the methods is called, once, in whatever call to the queue decides: it may call the queue itself, and must not throw. */
export interface Waiter {
  /**
   * It has a slot.
   *
   * @param release Gives the slot back.
   */
  granted(release: Release): void;
  /** It waits no more, and has no slot: there was no room, it was displaced, it waited too long, or the queue was closed. */
  refused(error: QueueRefusedError): void;
}

/** A place among those who wait. */
export interface QueuePlace {
  /** Gives the place up: the waiter is not called. Does nothing where it was called before. */
  leave(): void;
}

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
  /**
   * {@link FairQueue.acquire} without a promise, for those of whom very many wait.
   *
   * @returns the waiter's place; `undefined` where it was granted a slot, or refused one, before this returns.
   */
  wait(key: string, waiter: Waiter): QueuePlace | undefined;
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

/** The waiters of one key. A key is forgotten with its last waiter. */
interface Line {
  readonly key: string;
  readonly places: LinkedList<Place>;
  length: number;
}

/** @throws {RangeError} for a number that is not whole, or too small. */
export function fairQueue(options: FairQueueOptions): FairQueue {
  return new Slots(options);
}

class Slots implements FairQueue {
  held = 0;
  waiting = 0;
  readonly #maxWaiting: number;
  readonly #maxWaitingPerKey: number;
  /** Undefined: for as long as they like. */
  readonly #timeout: number | undefined;
  readonly #observe: ObserveQueue;
  readonly #lines = new Map<string, LinkedNode<Line>>();
  /** The keys that wait. The first one is served next, and is then the last. */
  readonly #turns = linkedList<Line>();
  readonly #ranking = createRanking<Line>();
  /** All who wait, in order of arrival: all wait equally long, so that one timer will do. */
  readonly #arrivals = linkedList<Place>();
  readonly #onIdle: (() => void)[] = [];
  #concurrency: number;
  #timer: NodeJS.Timeout | undefined;
  #serving = false;
  #closed = false;

  constructor({ concurrency, maxWaiting, maxWaitingPerKey = maxWaiting, timeout, observe }: FairQueueOptions) {
    this.#concurrency = wholeNumber(concurrency, 1, "concurrency");
    this.#maxWaiting = wholeNumber(maxWaiting, 0, "maxWaiting");
    this.#maxWaitingPerKey = wholeNumber(maxWaitingPerKey, 0, "maxWaitingPerKey");
    this.#timeout = timeout === undefined ? undefined : timerDelay(wholeNumber(timeout, 1, "timeout"));
    this.#observe = observe ?? (() => {});
  }

  tryAcquire(): Release | undefined {
    return this.#closed || this.held >= this.#concurrency ? undefined : this.#take();
  }

  acquire(key: string, signal?: AbortSignal): Promise<Release> {
    if (!this.#closed && signal?.aborted === true) return Promise.reject(aborted(signal));
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        place?.leave();
        reject(aborted(signal));
      };
      const place = this.wait(key, {
        granted(release) {
          signal?.removeEventListener("abort", abort);
          resolve(release);
        },
        refused(error) {
          signal?.removeEventListener("abort", abort);
          reject(error);
        },
      });
      if (place !== undefined) signal?.addEventListener("abort", abort, { once: true });
    });
  }

  wait(key: string, waiter: Waiter): QueuePlace | undefined {
    const free = this.tryAcquire();
    if (free !== undefined) return void waiter.granted(free);
    if (this.#closed) return void waiter.refused(new QueueRefusedError("closed"));
    const room = this.#roomFor(key);
    if (typeof room === "string") {
      waiter.refused(new QueueRefusedError(room));
      return void this.#observe(() => ({ event: "refused", reason: room, milliseconds: 0, ...this.#levels() }));
    }
    const { displaced } = room;
    if (displaced !== undefined) this.#leave(displaced);
    const place = new Place(this, this.#lineOf(key), waiter);
    this.#enter(place);
    this.#observe(() => ({ event: "waiting", ...this.#levels() }));
    // Told when everybody has their place: it may give a slot back, or come again.
    if (displaced !== undefined) this.#tellRefused(displaced, "displaced");
    return place.inLine.linked ? place : undefined;
  }

  setConcurrency(next: number): void {
    this.#concurrency = wholeNumber(next, 1, "concurrency");
    this.#serve();
  }

  close(): void {
    this.#closed = true;
    for (let first = this.#turns.first; first !== undefined; first = this.#turns.first) {
      this.#refuse(first.value.places.first?.value, "closed");
    }
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
      this.#settle();
    });
  }

  /** For {@link Place} only. */
  giveUp(place: Place): void {
    if (!place.inLine.linked) return;
    this.#leave(place);
    this.#reportRefusal(place, "aborted");
  }

  /** A function for each holder, so that a second release is not taken for that of another holder. */
  #take(): Release {
    this.held++;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.held--;
      this.#serve();
      this.#settle();
    };
  }

  #serve(): void {
    // A waiter may give its slot back at once: the loop goes on then, and no deeper.
    if (this.#serving) return;
    this.#serving = true;
    try {
      while (this.held < this.#concurrency && this.#turns.first !== undefined) {
        const turn = this.#turns.first;
        this.#turns.moveToEnd(turn);
        const place = turn.value.places.first?.value;
        if (place !== undefined) this.#grant(place);
      }
    } finally {
      this.#serving = false;
    }
  }

  #grant(place: Place): void {
    this.#leave(place);
    const release = this.#take();
    this.#observe(() => ({ event: "granted", milliseconds: performance.now() - place.since, ...this.#levels() }));
    place.waiter.granted(release);
  }

  #refuse(place: Place | undefined, reason: QueueRefusal): void {
    if (place === undefined) return;
    this.#leave(place);
    this.#tellRefused(place, reason);
  }

  #tellRefused(place: Place, reason: QueueRefusal): void {
    place.waiter.refused(new QueueRefusedError(reason));
    this.#reportRefusal(place, reason);
  }

  #reportRefusal({ since }: Place, reason: QueueRefusal): void {
    this.#observe(() => ({ event: "refused", reason, milliseconds: performance.now() - since, ...this.#levels() }));
    this.#settle();
  }

  #settle(): void {
    if (this.held > 0 || this.waiting > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #lineOf(key: string): LinkedNode<Line> {
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const turn = this.#turns.append({ key, places: linkedList(), length: 0 });
    this.#lines.set(key, turn);
    return turn;
  }

  #enter(place: Place): void {
    const line = place.turn.value;
    line.places.moveToEnd(place.inLine);
    this.#arrivals.moveToEnd(place.arrival);
    this.#ranking.set(line, ++line.length);
    this.waiting++;
    if (this.#timeout !== undefined) this.#timer ??= setTimeout(this.#refuseLate, this.#timeout);
  }

  #leave(place: Place): void {
    const line = place.turn.value;
    line.places.remove(place.inLine);
    this.#arrivals.remove(place.arrival);
    this.#ranking.set(line, --line.length);
    this.waiting--;
    if (this.waiting === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    if (line.length > 0) return;
    this.#turns.remove(place.turn);
    this.#lines.delete(line.key);
  }

  readonly #refuseLate = (): void => {
    this.#timer = undefined;
    const timeout = this.#timeout ?? 0;
    // A timer counts in whole milliseconds.
    const due = performance.now() - timeout + 1;
    let first = this.#arrivals.first;
    for (; first !== undefined && first.value.since <= due; first = this.#arrivals.first) {
      this.#refuse(first.value, "timed-out");
    }
    if (first !== undefined) this.#timer ??= setTimeout(this.#refuseLate, Math.ceil(first.value.since - due) + 1);
  };

  /** Why one more of this key cannot wait, or else who of another key has to make place for it, if anybody. */
  #roomFor(key: string): QueueRefusal | { readonly displaced: Place | undefined } {
    const own = this.#lines.get(key)?.value.length ?? 0;
    const mayWait = own < this.#maxWaitingPerKey;
    if (this.waiting < this.#maxWaiting) return mayWait ? noneDisplaced : "key-full";
    const longest = this.#ranking.highest;
    // With one more only, they would change places to and fro.
    if (!mayWait || longest === undefined || longest.length <= own + 1) return "full";
    return { displaced: longest.places.last?.value };
  }

  #levels(): QueueLevels {
    return { waiting: this.waiting, inUse: this.held };
  }
}

const noneDisplaced = { displaced: undefined } as const;

/** A class, for thousands may wait. */
class Place implements QueuePlace {
  readonly turn: LinkedNode<Line>;
  readonly waiter: Waiter;
  /** By the clock of `performance.now`. */
  readonly since: number = performance.now();
  readonly inLine: LinkedNode<Place> = linkedNode(this);
  readonly arrival: LinkedNode<Place> = linkedNode(this);
  readonly #queue: Slots;

  constructor(queue: Slots, turn: LinkedNode<Line>, waiter: Waiter) {
    this.#queue = queue;
    this.turn = turn;
    this.waiter = waiter;
  }

  leave(): void {
    this.#queue.giveUp(this);
  }
}

function aborted(signal: AbortSignal | undefined): QueueRefusedError {
  return new QueueRefusedError("aborted", { cause: signal?.reason });
}

function wholeNumber(value: number, least: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`${name} must be a whole number of at least ${least}`);
}

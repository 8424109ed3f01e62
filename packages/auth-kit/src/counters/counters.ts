/** A number that is forgotten after a time. */
export interface Count {
  readonly value: number;
  /** In milliseconds. */
  readonly expiresIn: number;
}

/** Numbers by key, each of which expires by itself. Every operation is atomic, also between processes. */
export interface Counters {
  /** @returns `undefined` where there is no number, or it has expired. */
  get(key: string): Promise<Count | undefined>;
  /**
   * Adds to a number and gives the sum. A new one begins at 0 and expires after `ttl` milliseconds; one that is there
   * keeps its expiry. A sum of 0 or less is forgotten.
   */
  add(key: string, amount: number, ttl: number): Promise<number>;
  /** Replaces a number and its expiry, in milliseconds from now. */
  set(key: string, value: number, ttl: number): Promise<void>;
  /** Keeps a number that is there for at least `ttl` milliseconds from now. */
  extend(key: string, ttl: number): Promise<void>;
  /** Forgets a number. */
  delete(key: string): Promise<void>;
}

/**
 * Where the counts of a throttle are kept. Keys are hashes: no name and no address is ever handed to it.
 *
 * What an operation throws makes the login that is being counted unavailable: 503.
 */
export interface CounterStore {
  /**
   * Opens a space of numbers.
   *
   * @param space Of one name are the same numbers, of two names different ones.
   */
  counters(space: string): Counters;
}

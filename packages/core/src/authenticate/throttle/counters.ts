/** A number that expires. */
export interface Count {
  readonly value: number;
  /** In milliseconds. */
  readonly expiresIn: number;
}

/** Numbers by key, each with an expiry. Every operation is atomic, also between processes. */
export interface Counters {
  /** @returns `undefined` where there is none, or it has expired. */
  get(key: string): Promise<Count | undefined>;
  /**
   * Adds to a number and returns the sum. A new number starts at 0 and expires after `ttl` milliseconds; an existing
   * one keeps its expiry. A sum of 0 or less is deleted.
   */
  add(key: string, amount: number, ttl: number): Promise<number>;
  /** Replaces a number and its expiry, in milliseconds from now. */
  set(key: string, value: number, ttl: number): Promise<void>;
  /** Extends the expiry of an existing number to at least `ttl` milliseconds from now. */
  extend(key: string, ttl: number): Promise<void>;
  /** Deletes a number. */
  delete(key: string): Promise<void>;
}

/**
 * The storage of a throttle's counts. Keys are hashes: it never receives a name or an address.
 *
 * An error of an operation makes the login unavailable: 503.
 */
export interface CounterStore {
  /**
   * Opens a namespace of numbers.
   *
   * @param space The same name gives the same numbers, another name others.
   */
  counters(space: string): Counters;
}

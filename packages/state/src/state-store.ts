/** An entry of a {@link StateStore}. */
export interface StateEntry {
  readonly key: string;
  readonly value: string;
}

/** A value, and for how long it stays. */
export interface TimedValue {
  readonly value: string;
  /** In milliseconds. `undefined`: until it is deleted. */
  readonly ttl: number | undefined;
}

/**
 * A small store of texts that several processes can share. Every operation is atomic, also between processes, and an
 * expired entry counts as absent everywhere.
 *
 * Keys are 1 to 512 characters of printable ASCII without spaces. Values are at most 64 KiB of UTF-8. A `ttl` is in
 * milliseconds, from 1 to 36,525 days; without one an entry stays until it is deleted.
 *
 * Every operation throws {@link StateUnavailableError} and nothing else: when the store cannot be reached, has not
 * responded within 2 seconds, is closed, or cannot take what it is given. A change that failed may have been made all
 * the same.
 */
export interface StateStore {
  /** @returns the value, or `undefined` if there is none. */
  get(key: string): Promise<string | undefined>;
  /** @returns the value and the time that it has left, or `undefined` if there is none. */
  getWithTtl(key: string): Promise<TimedValue | undefined>;
  /** Writes an entry, whether or not there is one. Without a `ttl` it has no expiry, even if the former one had. */
  set(key: string, value: string, ttl?: number): Promise<void>;
  /**
   * Writes an entry only where there is none.
   *
   * @returns whether it was written.
   */
  add(key: string, value: string, ttl?: number): Promise<boolean>;
  /**
   * Replaces a value only where it is `expected`: an optimistic change. Without a `ttl` the entry keeps its expiry.
   *
   * @returns whether it was replaced.
   */
  replace(key: string, expected: string, value: string, ttl?: number): Promise<boolean>;
  /** @returns whether there was an entry. */
  delete(key: string): Promise<boolean>;
  /**
   * Lists the entries whose keys begin with a prefix, in the order of their keys. It is meant for one owner's entries: in
   * Redis its cost grows with all keys of the database. It is no snapshot: what changes meanwhile may be listed or not.
   *
   * @throws {StateUnavailableError} if there are more than 10,000 of them, too: a list is complete or fails.
   */
  list(prefix: string): Promise<readonly StateEntry[]>;
  /**
   * Adds a whole number to an entry that is one, and gives the sum. A new one begins at 0 and expires after `ttl`; one that
   * is there keeps its expiry. An entry whose sum is 0 or less is deleted.
   *
   * @throws {StateUnavailableError} if the entry is no whole number, too.
   */
  increment(key: string, amount: number, ttl: number): Promise<number>;
  /**
   * Keeps an entry for at least `ttl` from now. It never shortens its time.
   *
   * @returns whether there is one.
   */
  extend(key: string, ttl: number): Promise<boolean>;
  /**
   * Whether the store can be used now, for readiness.
   *
   * @param signal Its abort ends the waiting.
   * @throws {StateUnavailableError} if it cannot.
   */
  check(signal?: AbortSignal): Promise<void>;
  /** Gives up connections and files. Later operations fail; a second call does nothing. */
  close(): Promise<void>;
}

/**
 * A small store of texts that the processes of a gate share, such as `@registry-gate/state` makes. Each operation is atomic,
 * and an entry that has expired counts as absent. Keys are printable ASCII without spaces, at most 512 characters. A `ttl`
 * is in milliseconds; without one an entry stays until it is deleted.
 *
 * Every operation rejects when the store cannot be used now: what depends on it must fail closed.
 */
export interface SharedState {
  /** @returns `undefined` if there is no such entry. */
  get(key: string): Promise<string | undefined>;
  /** Writes an entry, whether or not there is one. */
  set(key: string, value: string, ttl?: number): Promise<void>;
  /**
   * Writes an entry only where there is none.
   *
   * @returns whether it was written.
   */
  add(key: string, value: string, ttl?: number): Promise<boolean>;
  /**
   * Replaces a value only where it is `expected`. Without a `ttl` the entry keeps its expiry.
   *
   * @returns whether it was replaced.
   */
  replace(key: string, expected: string, value: string, ttl?: number): Promise<boolean>;
  /** @returns whether there was an entry. */
  delete(key: string): Promise<boolean>;
  /** All entries whose keys begin with a prefix. */
  list(prefix: string): Promise<readonly { readonly key: string; readonly value: string }[]>;
}

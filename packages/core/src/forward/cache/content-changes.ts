/** What a write has changed for those who read. */
export interface ContentChange {
  readonly repository: string;
  /** Such as `manifests/latest`; undefined for everything in the repository. */
  readonly names?: readonly string[] | undefined;
  /** The outcome of the write is not known: the registry may still act on it. */
  readonly unsettled?: boolean | undefined;
}

/**
 * Connects the caches of gates that run in several processes before one registry: what passes one of them is forgotten by
 * all.
 */
export interface ContentChanges {
  /**
   * Tells the others that a write has passed. The response to it waits for the promise.
   *
   * @returns a promise that never rejects.
   */
  announce(change: ContentChange): Promise<void>;
  /**
   * Calls the listener with each write that has passed another gate.
   *
   * @returns a function that ends that.
   */
  follow(listener: (change: ContentChange) => void): () => void;
}

/** Listeners to an event, such as that an earlier result of a backend may no longer hold. */
export interface Subscriptions<Parameters extends readonly unknown[]> {
  /** @returns a function that ends the subscription. */
  add(listener: (...parameters: Parameters) => void): () => void;
  /** Calls every listener. */
  notify(...parameters: Parameters): void;
  /** Ends every subscription. */
  clear(): void;
}

/** Keeps subscriptions, for `onChange` of a backend. A listener must not throw. */
export function subscriptions<Parameters extends readonly unknown[] = []>(): Subscriptions<Parameters> {
  const listeners = new Set<(...parameters: Parameters) => void>();
  return {
    add(listener) {
      // A function of its own, so that one listener can be there twice and end each subscription for itself.
      const subscription = (...parameters: Parameters): void => listener(...parameters);
      listeners.add(subscription);
      return () => void listeners.delete(subscription);
    },
    notify(...parameters) {
      for (const listener of [...listeners]) listener(...parameters);
    },
    clear: () => listeners.clear(),
  };
}

/** Those who want to know that an earlier answer may no longer hold. */
export interface Listeners {
  /** @returns a function that ends the subscription. */
  add(listener: () => void): () => void;
  notify(): void;
  clear(): void;
}

export function listeners(): Listeners {
  const subscriptions = new Set<() => void>();
  return {
    add(listener) {
      // A function of its own, so that one listener can be there twice and end each subscription for itself.
      const subscription = (): void => listener();
      subscriptions.add(subscription);
      return () => void subscriptions.delete(subscription);
    },
    notify() {
      for (const subscription of [...subscriptions]) subscription();
    },
    clear: () => subscriptions.clear(),
  };
}

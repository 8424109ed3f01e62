import type { WriteObserver } from "@registry-gate/core";

/** Several observers as one: each may refuse a write, and the client's response waits for all. */
export function observeWrites(observers: readonly WriteObserver[]): WriteObserver {
  return {
    refusal() {
      for (const observer of observers) {
        const reason = observer.refusal();
        if (reason !== undefined) return reason;
      }
      return undefined;
    },
    responded(record) {
      const waiting = observers.map((observer) => observer.responded(record)).filter((each) => each !== undefined);
      return waiting.length === 0 ? undefined : Promise.all(waiting).then(() => {});
    },
  };
}

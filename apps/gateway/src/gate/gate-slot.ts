import type { LoadedGate } from "./load-gate.ts";

/** The gate in force, which another one can replace. */
export interface GateSlot {
  readonly current: LoadedGate;
  /** Puts another gate in force. The former one finishes its requests, and retires. */
  replace(next: LoadedGate): void;
  /** Resolves when the current gate and all former ones have retired. */
  retire(): Promise<void>;
}

export function gateSlot(first: LoadedGate): GateSlot {
  let current = first;
  const retiring = new Set<Promise<void>>();
  return {
    get current() {
      return current;
    },
    replace(next) {
      const retirement = current.gate.retire();
      retiring.add(retirement);
      void retirement.finally(() => retiring.delete(retirement));
      current = next;
    },
    async retire() {
      await current.gate.retire();
      await Promise.all(retiring);
    },
  };
}

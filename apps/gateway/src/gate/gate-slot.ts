import type { Gate } from "./gate.ts";
import type { LoadedGate } from "./load-gate.ts";

/** The gate in force, which another one can replace. */
export interface GateSlot {
  readonly current: LoadedGate;
  /** How many requests are in progress, those of former gates as well. */
  readonly inFlight: number;
  /** Puts another gate in force. The former one finishes its requests, and retires. */
  replace(next: LoadedGate): void;
  /** Resolves when the current gate and all former ones have retired. */
  retire(): Promise<void>;
}

export function gateSlot(first: LoadedGate): GateSlot {
  let current = first;
  const retiring = new Map<Gate, Promise<void>>();
  return {
    get current() {
      return current;
    },
    get inFlight() {
      return [current.gate, ...retiring.keys()].reduce((sum, { inFlight }) => sum + inFlight, 0);
    },
    replace(next) {
      const { gate } = current;
      const retirement = gate.retire();
      retiring.set(gate, retirement);
      void retirement.finally(() => retiring.delete(gate));
      current = next;
    },
    async retire() {
      await current.gate.retire();
      await Promise.all(retiring.values());
    },
  };
}

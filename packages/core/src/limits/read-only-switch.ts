/** Whether the registry is read-only for now, and which writes were admitted before. */
export interface ReadOnlySwitch {
  /** Whether writes are refused. */
  readonly on: boolean;
  /** How many admitted writes have not ended. */
  readonly writesInFlight: number;
  /** Refuses writes from now on, or admits them again. Writes that were admitted go on in either case. */
  set(on: boolean): void;
  /** Resolves as soon as no admitted write is in flight. While the switch is off, another one may follow at once. */
  writesEnded(): Promise<void>;
  /**
   * Admits one write; for the middleware.
   *
   * @returns what to call once when the write is over, or `undefined` where it must be refused.
   */
  admit(): (() => void) | undefined;
}

/**
 * Creates a switch for the option `readOnly` of {@link registryProxy}. Several middlewares may share it: then the writes
 * of all are counted together. It is off.
 */
export function createReadOnlySwitch(): ReadOnlySwitch {
  let on = false;
  let inFlight = 0;
  let waiting: (() => void)[] = [];
  return {
    get on() {
      return on;
    },
    get writesInFlight() {
      return inFlight;
    },
    set(value) {
      on = value;
    },
    writesEnded: () => (inFlight === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    admit() {
      if (on) return undefined;
      inFlight++;
      return () => {
        if (--inFlight > 0) return;
        const ended = waiting;
        waiting = [];
        for (const resolve of ended) resolve();
      };
    },
  };
}

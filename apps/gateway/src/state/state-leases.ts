import { InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { inspectState, openState, type StateStore } from "@registry-gate/state";
import type { StateConfiguration } from "../config/sections/state.ts";

/** The use of a store by one gate. */
export interface StateLease {
  readonly store: StateStore;
  /** Called once. The last one that shares the store closes it. */
  release(): Promise<void>;
}

/**
 * Gives a gate the store that its configuration names, or finds out whether it could.
 *
 * @returns `undefined` where nothing was opened.
 * @throws {InvalidOptionsError} with paths from the root of the configuration.
 */
export type LeaseState = (configuration: StateConfiguration, log: Logger) => Promise<StateLease | undefined>;

interface SharedStore {
  readonly opening: Promise<StateStore>;
  leases: number;
}

/**
 * Opens each store once for all gates of this process: a reload keeps it, unless it is configured otherwise. The former
 * store stays open until the last request of the former gate has ended.
 */
export function stateLeases(): LeaseState {
  const shared = new Map<string, SharedStore>();
  return async (configuration, log) => {
    const name = JSON.stringify(configuration);
    const entry = shared.get(name) ?? { opening: openState(configuration, { directory: "/", log }), leases: 0 };
    shared.set(name, entry);
    entry.leases++;
    const leave = (): boolean => {
      const isLast = --entry.leases === 0;
      if (isLast) shared.delete(name);
      return isLast;
    };
    try {
      const store = await entry.opening;
      return {
        store,
        async release() {
          if (leave()) await store.close();
        },
      };
    } catch (error) {
      leave();
      throw inConfiguration(error);
    }
  };
}

/** Judges a store without opening it for use: no file is made, and nothing is connected to. */
export const inspectOnly: LeaseState = async (configuration, log) => {
  try {
    await inspectState(configuration, { directory: "/", log });
    return undefined;
  } catch (error) {
    throw inConfiguration(error);
  }
};

function inConfiguration(error: unknown): unknown {
  if (!(error instanceof InvalidOptionsError)) return error;
  const faults = error.faults.map(({ path, message }) => ({ path: ["state", ...path], message }));
  return new InvalidOptionsError(faults, { cause: error });
}

import { InvalidOptionsError } from "@registry-gate/auth";
import { memoryCounters, type ReadOnlySwitch, type RequestRecord } from "@registry-gate/core";
import { memoryState } from "@registry-gate/state";
import { randomKeys } from "@registry-gate/token";
import type { Logger } from "pino";
import type { Configuration } from "../config/configuration.ts";
import { logLevelOf } from "../config/sections/log.ts";
import { missingDirectory } from "../listener/listen-faults.ts";
import { requestLine } from "../log/request-line.ts";
import { inspectOnly, type LeaseState, stateLeases } from "../state/state-leases.ts";
import { type LoadedGate, loadGate } from "./load-gate.ts";

/** Builds the gates that a gateway has one after the other, from one file. */
export interface GateLoader {
  /** @throws {InvalidOptionsError} with every fault. */
  load(): Promise<LoadedGate>;
  /**
   * Throws what `load` would throw, and leaves no trace.
   *
   * @throws {InvalidOptionsError} with every fault.
   */
  rehearse(): Promise<void>;
}

/**
 * @param log Each gate logs there at the level of its own configuration.
 * @param readOnly Turned by `maintenance`, for all gates at once.
 */
export function gateLoader(path: string, log: Logger, readOnly: ReadOnlySwitch): GateLoader {
  // A reload forgets no failed logins, and ends no token.
  const counters = memoryCounters();
  const leaseState = stateLeases();
  const memory = memoryState();
  const keys = randomKeys();

  async function load(logOf: (configuration: Configuration) => Logger, lease: LeaseState): Promise<LoadedGate> {
    const shared = { counters, readOnly, memory, keys: await keys, leaseState: lease };
    const loaded = await loadGate(path, (configuration) => {
      const own = logOf(configuration);
      return {
        ...shared,
        log: own,
        onRequest: (record: RequestRecord) => own.info(requestLine(record)),
      };
    });
    const missing = await missingDirectory(loaded.gate.configuration.listen.address);
    if (missing.length === 0) return loaded;
    await loaded.gate.retire();
    throw new InvalidOptionsError(missing);
  }

  return {
    load: () => load((configuration) => log.child({}, { level: logLevelOf(configuration.log) }), leaseState),
    async rehearse() {
      const silent = log.child({}, { level: "silent" });
      const { gate } = await load(() => silent, inspectOnly);
      await gate.retire();
    },
  };
}

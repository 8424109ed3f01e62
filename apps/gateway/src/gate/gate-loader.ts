import { InvalidOptionsError } from "@registry-gate/auth";
import { memoryCounters, type RequestRecord } from "@registry-gate/core";
import type { Logger } from "pino";
import type { Configuration } from "../config/configuration.ts";
import { logLevelOf } from "../config/sections/log.ts";
import { missingDirectory } from "../listener/listen-faults.ts";
import { requestLine } from "../log/request-line.ts";
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

/** @param log Each gate logs there at the level of its own configuration. */
export function gateLoader(path: string, log: Logger): GateLoader {
  // A reload keeps the counts of failed logins.
  const counters = memoryCounters();

  async function load(logOf: (configuration: Configuration) => Logger): Promise<LoadedGate> {
    const loaded = await loadGate(path, (configuration) => {
      const own = logOf(configuration);
      return { log: own, counters, onRequest: (record: RequestRecord) => own.info(requestLine(record)) };
    });
    const missing = await missingDirectory(loaded.gate.configuration.listen.address);
    if (missing.length === 0) return loaded;
    await loaded.gate.retire();
    throw new InvalidOptionsError(missing);
  }

  return {
    load: () => load((configuration) => log.child({}, { level: logLevelOf(configuration.log) })),
    async rehearse() {
      const silent = log.child({}, { level: "silent" });
      const { gate } = await load(() => silent);
      await gate.retire();
    },
  };
}

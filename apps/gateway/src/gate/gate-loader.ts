import { InvalidOptionsError } from "@registry-gate/auth";
import { memoryCounters, type ReadOnlySwitch, type RequestRecord } from "@registry-gate/core";
import { memoryState } from "@registry-gate/state";
import { randomKeys } from "@registry-gate/token";
import type { Logger } from "pino";
import type { AuditSink } from "../audit/audit-sink.ts";
import { observeRequests } from "../audit/observe-requests.ts";
import type { Configuration } from "../config/configuration.ts";
import { logLevelOf } from "../config/sections/log.ts";
import type { EventSink } from "../events/event-sink.ts";
import { notifyOfRequests } from "../events/notify-of-requests.ts";
import { missingDirectory } from "../listener/listen-faults.ts";
import { requestLine } from "../log/request-line.ts";
import { inspectOnly, type LeaseState, stateLeases } from "../state/state-leases.ts";
import { type LoadedGate, loadGate } from "./load-gate.ts";
import { observeWrites } from "./observe-writes.ts";

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

export interface LoaderSurroundings {
  /** Where each gate records what its own configuration asks for. */
  readonly auditSink: AuditSink;
  /** Where each gate tells what others are notified of, if its own configuration has any. */
  readonly eventSink: EventSink;
  /** Turned by `maintenance`, for all gates at once. */
  readonly readOnly: ReadOnlySwitch;
}

/**
 * @param log Each gate logs there at the level of its own configuration.
 * @param surroundings What outlives each gate.
 */
export function gateLoader(path: string, log: Logger, surroundings: LoaderSurroundings): GateLoader {
  const { auditSink, eventSink, readOnly } = surroundings;
  // A reload forgets no failed logins, and ends no token.
  const counters = memoryCounters();
  const leaseState = stateLeases();
  const memory = memoryState();
  const keys = randomKeys();

  async function load(logOf: (configuration: Configuration) => Logger, lease: LeaseState): Promise<LoadedGate> {
    const shared = { counters, readOnly, memory, keys: await keys, leaseState: lease };
    const loaded = await loadGate(path, (configuration) => {
      const own = logOf(configuration);
      const audit = configuration.audit && observeRequests(configuration.audit, auditSink);
      const notified = configuration.events?.length ? notifyOfRequests(eventSink) : undefined;
      const observers = [audit, notified].filter((observer) => observer !== undefined);
      return {
        ...shared,
        log: own,
        onRequest(record: RequestRecord) {
          own.info(requestLine(record));
          for (const { onFinished } of observers) onFinished(record);
        },
        writes: observers.length === 0 ? undefined : observeWrites(observers.map(({ writes }) => writes)),
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

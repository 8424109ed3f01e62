import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import {
  type ContentChanges,
  memoryCounters,
  type ReadOnlySwitch,
  type RequestRecord,
  type RequestTracer,
} from "@registry-gate/core";
import { memoryState, type StateStore } from "@registry-gate/state";
import { randomKeys, type TokenKeys } from "@registry-gate/token";
import type { SettledFile } from "@registry-gate/watched-file";
import type { Logger } from "pino";
import type { AuditSink } from "../audit/audit-sink.ts";
import { eventRecorder, observeRequests } from "../audit/observe-requests.ts";
import type { Configuration } from "../config/configuration.ts";
import { type InspectedConfiguration, inspectConfiguration, inspectSource } from "../config/load.ts";
import { readConfiguration } from "../config/parse.ts";
import { readApart } from "../config/read-apart.ts";
import { logLevelOf } from "../config/sections/log.ts";
import { workerCount } from "../config/sections/workers.ts";
import { workerShare } from "../config/worker-share.ts";
import type { EventSink } from "../events/event-sink.ts";
import { notifyOfRequests } from "../events/notify-of-requests.ts";
import { missingDirectory } from "../listener/listen-faults.ts";
import { requestLine } from "../log/request-line.ts";
import { inspectOnly, type LeaseState, stateLeases } from "../state/state-leases.ts";
import type { TlsFiles } from "../tls/tls-identity.ts";
import type { OpenPortal } from "./gate-portal.ts";
import { type LoadedGate, loadInspected } from "./load-gate.ts";
import { observeWrites } from "./observe-writes.ts";

/** Builds the gates that a gateway has one after the other, from one file. */
export interface GateLoader {
  /**
   * @param contents What another process has read already; the files are read by default.
   * @throws {InvalidOptionsError} with every fault.
   */
  load(contents?: ReadContents): Promise<LoadedGate>;
  /**
   * Throws what `load` would throw, and leaves no trace.
   *
   * @returns a gate that is closed, for what stands in it.
   * @throws {InvalidOptionsError} with every fault.
   */
  rehearse(): Promise<LoadedGate>;
}

/** The configuration file and those of its certificate, as they were read. */
export interface ReadContents {
  readonly source: SettledFile;
  readonly tlsFiles?: TlsFiles;
  /** How many processes share what is limited for the gateway as a whole. */
  readonly workers: number;
}

/** What the processes of one gate have in common. */
export interface GateProcesses {
  /** The keys where no file is configured. */
  readonly keys: TokenKeys;
  /** Their store where the configuration names none. */
  readonly state: StateStore;
}

/** What a loader is given beside the file. */
export interface LoaderOptions {
  /** Each gate logs there at the level of its own configuration. */
  readonly log: Logger;
  /** Logs a request. Default: as any other line. */
  readonly logRequest?: (log: Logger, record: RequestRecord) => void;
  /** Called with the record of each request, after it is logged. */
  readonly onRequest?: (record: RequestRecord) => void;
  /** Where each gate records what its own configuration asks for. */
  readonly auditSink?: AuditSink;
  /** Where each gate tells what others are notified of, if its own configuration has any. */
  readonly eventSink?: EventSink;
  /** Turned by `maintenance`, for all gates at once. */
  readonly readOnly?: ReadOnlySwitch;
  /** Connects what each gate keeps of the registry's content with other processes. */
  readonly contentChanges?: ContentChanges;
  /** Follows requests; undefined where nobody asked for traces. */
  readonly tracer?: RequestTracer | undefined;
  /** Opens the pages beside the registry. Default: there are none. */
  readonly portal?: OpenPortal | undefined;
  /** Default: there is one process. */
  readonly processes?: GateProcesses;
}

export function gateLoader(path: string, options: LoaderOptions): GateLoader {
  const { log, onRequest, auditSink, eventSink, readOnly, contentChanges, tracer, portal, processes } = options;
  const { logRequest = (own, record) => own.info(requestLine(record)) } = options;
  // A reload forgets no failed logins, and ends no token.
  const counters = memoryCounters();
  const leaseState = stateLeases();
  const memory = memoryState();
  const ownKeys = processes === undefined ? randomKeys() : undefined;
  /** The first time there is nothing else that could be held up. */
  let readText: typeof readConfiguration | typeof readApart = readConfiguration;

  async function load(
    contents: ReadContents | undefined,
    logOf: (configuration: Configuration) => Logger,
    lease: LeaseState,
  ): Promise<LoadedGate> {
    const keys = processes?.keys ?? (await ownKeys);
    const shared = {
      ...{ counters, memory, leaseState: lease },
      ...(readOnly !== undefined && { readOnly }),
      ...(contentChanges !== undefined && { contentChanges }),
      ...(keys !== undefined && { keys }),
      portal,
      ...(processes !== undefined && { processState: processes.state }),
      ...(contents?.tlsFiles !== undefined && { tlsFiles: contents.tlsFiles }),
    };
    const inspected =
      contents === undefined
        ? await inspectConfiguration(path, process.env, readText)
        : await inspectSource(contents.source, process.env, readText);
    readText = readApart;
    const loaded = await loadInspected(shareOf(inspected, contents?.workers), (configuration) => {
      const own = logOf(configuration);
      const audit = configuration.audit && auditSink && observeRequests(configuration.audit, auditSink);
      const { events = [] } = configuration;
      const notified = events.length > 0 && eventSink ? notifyOfRequests(events, eventSink) : undefined;
      const observers = [audit, notified].filter((observer) => observer !== undefined);
      return {
        ...shared,
        auditPortal: configuration.audit && auditSink && eventRecorder(configuration.audit, auditSink),
        log: own,
        tracer,
        onRequest(record: RequestRecord) {
          logRequest(own, record);
          onRequest?.(record);
          for (const { onFinished } of observers) onFinished(record);
        },
        writes: observers.length === 0 ? undefined : observeWrites(observers.map(({ writes }) => writes)),
      };
    });
    const { configuration } = loaded.gate;
    const missing = [
      ...(await missingDirectory(configuration.listen.address)),
      ...(processes === undefined ? workerFaults(configuration) : []),
    ];
    if (missing.length === 0) return loaded;
    await loaded.gate.retire();
    throw new InvalidOptionsError(missing);
  }

  return {
    load: (contents) =>
      load(contents, (configuration) => log.child({}, { level: logLevelOf(configuration.log) }), leaseState),
    async rehearse() {
      const silent = log.child({}, { level: "silent" });
      const loaded = await load(undefined, () => silent, inspectOnly);
      await loaded.gate.retire();
      return loaded;
    },
  };
}

function shareOf(inspected: InspectedConfiguration, workers = 1): InspectedConfiguration {
  const { loaded } = inspected;
  if (loaded === undefined) return inspected;
  return { ...inspected, loaded: { ...loaded, configuration: workerShare(loaded.configuration, workers) } };
}

/** One process cannot become several. */
function workerFaults({ workers }: Configuration): readonly Fault[] {
  if (workerCount(workers) === 1) return [];
  const message = "the gate runs as one process, which a reload cannot make several: restart registry-gate serve";
  return [{ path: ["workers"], message }];
}

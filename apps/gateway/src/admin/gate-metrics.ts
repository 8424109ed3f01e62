import type { RequestRecord } from "@registry-gate/core";
import { metricStore } from "./metrics/metric-store.ts";
import * as metrics from "./metrics/metrics.ts";
import { recordChannels } from "./metrics/record-channels.ts";
import { recordProcess } from "./metrics/record-process.ts";
import { recordRequests } from "./metrics/record-requests.ts";
import type { Snapshot } from "./metrics/snapshot.ts";
import type { Readiness } from "./readiness/readiness.ts";

/** What is read where somebody looks. */
export interface MeasuredGateway {
  /** How many requests are in progress. */
  readonly inFlight: () => number;
  /** How many connections of clients are open. */
  readonly connections: () => number;
  /** When the certificate expires; undefined without TLS. */
  readonly validTo: () => Date | undefined;
  /** What was found last, if anybody has asked. */
  readonly readiness: () => Readiness | undefined;
  /** Whether writes are refused for maintenance. */
  readonly readOnly: () => boolean;
  /** How many requests that may change the registry are in progress. */
  readonly writesInFlight: () => number;
  /** How many notifications wait to be delivered. */
  readonly notificationsWaiting: () => number;
  /** How many lines of the log were dropped since the start. */
  readonly logLinesDropped: () => number;
  /** How many workers have ended unexpectedly; absent in a process that starts none. */
  readonly workerRestarts?: () => number;
}

/** What the process with a gate measures. Nothing before it is started. */
export interface GateMetrics {
  /** Begins to measure, if that has not begun. Whatever happened before is not counted. */
  start(): void;
  /** Is given the record of each request. */
  request(record: RequestRecord): void;
  snapshot(): Snapshot;
  stop(): void;
}

/** @param version Of registry-gate. */
export function gateMetrics(gateway: MeasuredGateway, version: string): GateMetrics {
  const store = metricStore();
  let request: ((record: RequestRecord) => void) | undefined;
  let endings: readonly (() => void)[] = [];

  store.onSnapshot(() => {
    store.value(metrics.inFlight).value = gateway.inFlight();
    store.value(metrics.connections).value = gateway.connections();
    const validTo = gateway.validTo();
    if (validTo === undefined) store.clear(metrics.certificateExpiry);
    else store.value(metrics.certificateExpiry).value = validTo.getTime() / 1000;
    store.value(metrics.readOnly).value = gateway.readOnly() ? 1 : 0;
    store.value(metrics.writesInFlight).value = gateway.writesInFlight();
    store.value(metrics.notificationsWaiting).value = gateway.notificationsWaiting();
    store.value(metrics.logLinesDropped).value = gateway.logLinesDropped();
    store.value(metrics.workerRestarts).value = gateway.workerRestarts?.() ?? 0;
    store.clear(metrics.partOk);
    const readiness = gateway.readiness();
    if (readiness === undefined) return;
    store.value(metrics.ready).value = readiness.ready ? 1 : 0;
    for (const { part, status } of readiness.parts) {
      store.value(metrics.partOk, part).value = status === "failed" ? 0 : 1;
    }
  });

  return {
    start() {
      if (request !== undefined) return;
      request = recordRequests(store);
      endings = [recordChannels(store), recordProcess(store, version)];
    },
    request: (record) => request?.(record),
    snapshot: () => store.snapshot(),
    stop() {
      for (const end of endings) end();
      endings = [];
    },
  };
}

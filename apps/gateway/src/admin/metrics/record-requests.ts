import { STATUS_CODES } from "node:http";
import { operationNames, type RequestRecord } from "@registry-gate/core";
import type { Distribution, MetricStore, Value } from "./metric-store.ts";
import * as metrics from "./metrics.ts";

/** What is measured of each request of one operation. */
interface OperationMetrics {
  readonly duration: Distribution;
  readonly gate: Distribution;
  /** Once the registry was asked: for many operations it never is. */
  upstream: Distribution | undefined;
  readonly received: Value;
  readonly sent: Value;
  /** By decision, and then by status. */
  readonly requests: Map<string, Map<number, Value>>;
}

const known: ReadonlySet<string> = new Set(operationNames);
/** The label of a request that is none of the registry's. */
const unknown = "unknown";
/** The client left before there was a response. */
const clientClosedRequest = 499;

/** Measures requests: returns what is to be called with the record of each. */
export function recordRequests(store: MetricStore): (record: RequestRecord) => void {
  const operations = new Map<string, OperationMetrics>();
  for (const outcome of ["completed", "client-aborted", "upstream-error", "timeout", "internal-error"]) {
    store.value(metrics.outcomes, outcome);
  }
  for (const kind of ["access", "refresh"]) store.value(metrics.tokensIssued, kind);

  function of(operation: string): OperationMetrics {
    const before = operations.get(operation);
    if (before !== undefined) return before;
    const made: OperationMetrics = {
      duration: store.distribution(metrics.requestDuration, operation),
      gate: store.distribution(metrics.gateDuration, operation),
      upstream: undefined,
      received: store.value(metrics.received, operation),
      sent: store.value(metrics.sent, operation),
      requests: new Map(),
    };
    operations.set(operation, made);
    return made;
  }

  function count({ requests }: OperationMetrics, operation: string, { decision, status }: RequestRecord): Value {
    let byStatus = requests.get(decision);
    if (byStatus === undefined) {
      byStatus = new Map();
      requests.set(decision, byStatus);
    }
    const before = byStatus.get(status);
    if (before !== undefined) return before;
    const made = store.value(metrics.requests, operation, decision, statusLabel(status));
    byStatus.set(status, made);
    return made;
  }

  return (record) => {
    const operation = record.operation !== undefined && known.has(record.operation) ? record.operation : unknown;
    const measured = of(operation);
    count(measured, operation, record).value++;
    store.value(metrics.outcomes, record.outcome).value++;
    measured.duration.observe(record.milliseconds / 1000);
    measured.gate.observe(record.gateMilliseconds / 1000);
    if (record.upstreamMilliseconds !== undefined) {
      measured.upstream ??= store.distribution(metrics.upstreamDuration, operation);
      measured.upstream.observe(record.upstreamMilliseconds / 1000);
    }
    measured.received.value += record.bytesReceived;
    measured.sent.value += record.bytesSent;
    if (operation !== "issue-token") return;
    store.value(metrics.tokens, record.status === 200 ? "issued" : "refused").value++;
    if (record.issuedToken === undefined) return;
    store.value(metrics.tokensIssued, "access").value++;
    if (record.issuedToken === "refresh") store.value(metrics.tokensIssued, "refresh").value++;
  };
}

/** A registry may make up any status: those that nobody knows are one. */
function statusLabel(status: number): string {
  return STATUS_CODES[status] !== undefined || status === clientClosedRequest ? String(status) : "other";
}

/**
 * Every metric. `docs/metrics.md` has the same list for operators.
 *
 * @module
 */

import { type CounterMetric, counter, durations, type GaugeMetric, gauge, type HistogramMetric } from "./metric.ts";

/** In seconds: from what is decided in memory to an upload of half an hour. */
const requestBounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800,
];
/** In seconds: of steps that have time limits of some seconds. */
const stepBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const name = (rest: string): string => `registry_gate_${rest}`;

// Requests
export const requests: CounterMetric = counter(name("requests_total"), "Requests that are over", [
  "operation",
  "decision",
  "status",
]);
export const outcomes: CounterMetric = counter(
  name("request_outcomes_total"),
  "Requests that are over, by how they ended",
  ["outcome"],
);
export const requestDuration: HistogramMetric = durations(
  name("request_duration_seconds"),
  "Time from a request's head to the end of its response",
  ["operation"],
  requestBounds,
);
export const gateDuration: HistogramMetric = durations(
  name("request_gate_duration_seconds"),
  "Time that the gate itself took for a request, without bodies",
  ["operation"],
  requestBounds,
);
export const upstreamDuration: HistogramMetric = durations(
  name("request_upstream_duration_seconds"),
  "Time for which the registry kept a request waiting, without bodies",
  ["operation"],
  requestBounds,
);
export const inFlight: GaugeMetric = gauge(name("requests_in_flight"), "Requests in progress", "sum");
export const received: CounterMetric = counter(
  name("received_bytes_total"),
  "Bytes of request bodies",
  ["operation"],
  "By",
);
export const sent: CounterMetric = counter(name("sent_bytes_total"), "Bytes of response bodies", ["operation"], "By");
export const limits: CounterMetric = counter(
  name("limits_reached_total"),
  "Requests and connections that a limit ended",
  ["limit"],
);
export const connections: GaugeMetric = gauge(name("connections"), "Open connections of clients", "sum");
export const handshakeFailures: CounterMetric = counter(
  name("tls_handshake_failures_total"),
  "TLS handshakes of clients that failed",
);
export const unreadable: CounterMetric = counter(name("unreadable_requests_total"), "Requests that were no valid HTTP");

// Logins and tokens
export const logins: CounterMetric = counter(name("logins_total"), "Logins that a backend has judged", [
  "backend",
  "outcome",
]);
export const loginDuration: HistogramMetric = durations(
  name("login_duration_seconds"),
  "Time that a backend took to judge a login",
  ["backend"],
  stepBounds,
);
export const loginCache: CounterMetric = counter(
  name("login_cache_requests_total"),
  "Looks into the cache of checked logins",
  ["result"],
);
export const loginCacheEntries: GaugeMetric = gauge(name("login_cache_entries"), "Logins in the cache", "sum");
export const throttled: CounterMetric = counter(
  name("logins_throttled_total"),
  "Logins not checked, because too many have failed",
  ["limit"],
);
export const tokens: CounterMetric = counter(name("tokens_total"), "Requests for a token of the gate", ["outcome"]);
export const tokensIssued: CounterMetric = counter(name("tokens_issued_total"), "Tokens of the gate that were issued", [
  "kind",
]);

// The cache of content
export const contentCache: CounterMetric = counter(
  name("cache_requests_total"),
  "Looks into the cache of manifests and blobs",
  ["result"],
);
export const contentCacheEntries: GaugeMetric = gauge(name("cache_entries"), "Manifests and blobs in the cache", "sum");
export const contentCacheBytes: GaugeMetric = gauge(
  name("cache_bytes"),
  "Memory that the cache of manifests and blobs takes",
  "sum",
  [],
  "By",
);

// Queues
export const queueWaiting: GaugeMetric = gauge(name("queue_waiting"), "How many wait in a queue", "sum", [
  "queue",
  "backend",
]);
export const queueWait: HistogramMetric = durations(
  name("queue_wait_seconds"),
  "How long was waited in a queue, until there was a slot",
  ["queue", "backend"],
  stepBounds,
);
export const queueRefused: CounterMetric = counter(name("queue_refused_total"), "How many a queue gave no slot", [
  "queue",
  "backend",
  "reason",
]);

// The registry
export const upstreamConnections: CounterMetric = counter(
  name("upstream_connections_total"),
  "Connections to the registry",
  ["event"],
);
export const upstreamConnectionsOpen: GaugeMetric = gauge(
  name("upstream_connections_open"),
  "Open connections to the registry",
  "sum",
);
export const upstreamConnect: HistogramMetric = durations(
  name("upstream_connect_duration_seconds"),
  "Time to open a connection to the registry, TLS included",
  [],
  stepBounds,
);

// LDAP
export const ldapOperations: CounterMetric = counter(name("ldap_operations_total"), "Binds and searches", [
  "backend",
  "operation",
  "outcome",
]);
export const ldapOperationDuration: HistogramMetric = durations(
  name("ldap_operation_duration_seconds"),
  "Time of binds and searches",
  ["backend", "operation"],
  stepBounds,
);
export const ldapConnections: CounterMetric = counter(
  name("ldap_connections_total"),
  "Connections to directory servers",
  ["backend", "event"],
);
export const ldapConnectionsOpen: GaugeMetric = gauge(
  name("ldap_connections_open"),
  "Open connections to directory servers",
  "sum",
  ["backend"],
);

// The audit, notifications, maintenance and the log
export const auditEvents: CounterMetric = counter(name("audit_events_total"), "Audit events, by what became of them", [
  "outcome",
]);
export const auditFailures: CounterMetric = counter(
  name("audit_failures_total"),
  "Attempts to write the audit that failed",
);
export const auditFailing: GaugeMetric = gauge(
  name("audit_failing"),
  "Whether the audit cannot be written at the moment: 1 or 0",
  "max",
);
export const notifications: CounterMetric = counter(
  name("notifications_total"),
  "Notifications of events, by what became of them",
  ["outcome"],
);
export const notificationsWaiting: GaugeMetric = gauge(
  name("notifications_waiting"),
  "Notifications that wait to be delivered",
  "sum",
);
export const readOnly: GaugeMetric = gauge(
  name("read_only"),
  "Whether writes are refused for maintenance: 1 or 0",
  "max",
);
export const writesInFlight: GaugeMetric = gauge(
  name("writes_in_flight"),
  "Requests in progress that may change the registry",
  "sum",
);
export const logLinesDropped: CounterMetric = counter(
  name("log_lines_dropped_total"),
  "Lines of the log that could not be written",
);

// Configuration and certificate
export const reloads: CounterMetric = counter(name("reloads_total"), "Changed files that were read again", [
  "subject",
  "outcome",
]);
export const lastReloadSuccessful: GaugeMetric = gauge(
  name("config_last_reload_successful"),
  "Whether the last reload of the configuration was applied: 1 or 0",
  "min",
);
export const lastReloadTime: GaugeMetric = gauge(
  name("config_last_reload_success_timestamp_seconds"),
  "When the running configuration was applied, since the epoch",
  "min",
  [],
  "s",
);
export const certificateExpiry: GaugeMetric = gauge(
  name("certificate_expiry_timestamp_seconds"),
  "When the certificate expires, since the epoch",
  "min",
  [],
  "s",
);

// Readiness, of the last checks
export const ready: GaugeMetric = gauge(name("ready"), "Whether the gate is ready for new requests: 1 or 0", "min");
export const partOk: GaugeMetric = gauge(
  name("part_ok"),
  "Whether the last check of a part found it in order: 1 or 0",
  "min",
  ["part"],
);

// The process
export const build: GaugeMetric = gauge(name("build_info"), "1, with the versions of registry-gate and Node", "max", [
  "version",
  "node",
]);
export const startTime: GaugeMetric = gauge(
  name("process_start_time_seconds"),
  "When the process started, since the epoch",
  "min",
  [],
  "s",
);
export const cpu: CounterMetric = counter(name("process_cpu_seconds_total"), "CPU time of the process", ["mode"], "s");
export const memory: GaugeMetric = gauge(name("process_resident_memory_bytes"), "Resident memory", "sum", [], "By");
export const heap: GaugeMetric = gauge(name("process_heap_used_bytes"), "Memory that JavaScript uses", "sum", [], "By");
export const openFiles: GaugeMetric = gauge(name("process_open_fds"), "Open file descriptors", "sum");
export const maxFiles: GaugeMetric = gauge(
  name("process_max_fds"),
  "How many file descriptors the process may open",
  "sum",
);
export const workerRestarts: CounterMetric = counter(
  name("worker_restarts_total"),
  "Workers that ended unexpectedly, and were replaced",
);
export const eventLoopDelay: HistogramMetric = durations(
  name("event_loop_delay_seconds"),
  "How late a timer of the process was, sampled twice a second",
  [],
  [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
);
export const eventLoopBusy: CounterMetric = counter(
  name("event_loop_busy_seconds_total"),
  "Time that the event loop did not idle",
  [],
  "s",
);

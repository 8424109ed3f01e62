import type { RequestRecord } from "@registry-gate/core";

/** For the audit alone: they would lengthen each line, and the reason names the rule. */
type Unlogged =
  | "principal"
  | "tags"
  | "agent"
  | "digest"
  | "mediaType"
  | "origin"
  | "rule"
  | "loginRejected"
  | "issuedToken"
  | "announced";

/** The members of a request line. Undefined ones are left out. */
type RequestLine = Readonly<Record<"event" | "via" | "grants" | keyof Omit<RequestRecord, Unlogged>, unknown>>;

/**
 * A request as a log line: with the name of its user, and without groups.
 *
 * Every member by name: an object that is spread has a form of its own, which costs the log more than all its text.
 */
export function requestLine(record: RequestRecord): RequestLine {
  const { principal } = record;
  return {
    event: "request",
    requestId: record.requestId,
    method: record.method,
    operation: record.operation,
    repository: record.repository,
    reference: record.reference,
    client: record.client,
    username: record.username,
    attemptedUsername: record.attemptedUsername,
    backend: record.backend,
    decision: record.decision,
    phase: record.phase,
    outcome: record.outcome,
    reason: record.reason,
    status: record.status,
    bytesReceived: record.bytesReceived,
    bytesSent: record.bytesSent,
    milliseconds: record.milliseconds,
    gateMilliseconds: record.gateMilliseconds,
    upstreamMilliseconds: record.upstreamMilliseconds,
    cache: record.cache,
    via: principal?.kind === "user" ? principal.via : undefined,
    grants: principal?.grants,
  };
}

import { randomUUID } from "node:crypto";
import type { Identity, Principal } from "@registry-gate/auth";
import type { RequestRecord } from "@registry-gate/core";
import type { AuditEventKind } from "../config/sections/audit.ts";
import { type AuditEvent, mostGroups } from "./audit-event.ts";

/** So that all who take the event of a request have the same, with one id. */
const made = new WeakMap<RequestRecord, AuditEvent>();

/** The audit event of a request; undefined where it is none, such as a `ping`. Each request has at most one. */
export function requestEvent(record: RequestRecord): AuditEvent | undefined {
  const kind = kindOf(record);
  if (kind === undefined) return undefined;
  const event = made.get(record) ?? describe(kind, record);
  made.set(record, event);
  return event;
}

/** What kind of event a request is, whether or not that kind is recorded. */
export function kindOf(record: RequestRecord): AuditEventKind | undefined {
  const { decision, principal, loginRejected } = record;
  if (decision === "denied") return "denied";
  if (decision === "throttled") return "throttled";
  if (loginRejected) return "login-failed";
  if (decision === "unauthenticated") {
    // Without a token, it is the request from which a client learns where to log in.
    return principal?.grants === undefined ? undefined : "denied";
  }
  return byOperation(record);
}

function byOperation(record: RequestRecord): AuditEventKind | undefined {
  const { method, operation, decision, status } = record;
  switch (operation) {
    case "put-manifest":
      return "push";
    case "delete-manifest":
    case "delete-blob":
      return "delete";
    case "get-manifest":
      return method === "GET" && decision === "allowed" ? "pull" : undefined;
    case "get-blob":
      return method === "GET" && decision === "allowed" ? "blob" : undefined;
    case "start-upload":
    case "finish-upload":
      // 202: there is no blob yet.
      return status === 201 ? "blob" : undefined;
    case "issue-token":
      return record.issuedToken === "refresh" ? "token" : undefined;
    default:
      return undefined;
  }
}

function describe(event: AuditEventKind, record: RequestRecord): AuditEvent {
  const { reference, tags, digest, username, attemptedUsername, backend, rule, principal } = record;
  const tag = tags?.[0] ?? (reference?.includes(":") === false ? reference : undefined);
  const read = record.method === "GET" || record.method === "HEAD";
  return {
    id: randomUUID(),
    time: new Date().toISOString(),
    event,
    requestId: record.requestId,
    ...callerOf(principal),
    ...(username !== undefined && { username }),
    ...(attemptedUsername !== undefined && { attemptedUsername }),
    ...(backend !== undefined && { backend }),
    ...(principal?.grants !== undefined && { grants: principal.grants }),
    ...(record.client !== undefined && { address: record.client }),
    ...(record.agent !== undefined && { agent: record.agent }),
    method: record.method,
    ...(record.operation !== undefined && { operation: record.operation }),
    ...(record.repository !== undefined && { repository: record.repository }),
    ...(tag !== undefined && { tag }),
    ...(tags !== undefined && tags.length > 1 && { tags }),
    ...(digest !== undefined && { digest }),
    ...(record.mediaType !== undefined && { mediaType: record.mediaType }),
    ...(record.origin !== undefined && { origin: record.origin }),
    decision: record.decision,
    ...(rule !== undefined && { rule }),
    phase: record.phase,
    bytes: read ? record.bytesSent : record.bytesReceived,
    milliseconds: record.milliseconds,
    outcome: event === "token" ? "issued" : record.outcome,
    status: record.status,
    reason: record.reason,
    ...(event === "token" && { token: { kind: "refresh" } }),
  };
}

/** Whatever rules regard about a user. */
function callerOf(principal: Principal | undefined): Partial<AuditEvent> {
  if (principal?.kind !== "user") return {};
  const { identity, via } = principal;
  const { subject, ambiguousGroups = [], nameMatching } = identity;
  const groupsIncomplete = incompleteness(identity);
  return {
    subject,
    via,
    groups: identity.groups.slice(0, mostGroups),
    ...(ambiguousGroups.length > 0 && { ambiguousGroups: ambiguousGroups.slice(0, mostGroups) }),
    ...(groupsIncomplete !== undefined && { groupsIncomplete }),
    ...(nameMatching === "folded" && { nameMatching }),
  };
}

function incompleteness({ groups, ambiguousGroups = [], groupsIncomplete }: Identity): string | undefined {
  const leftOut = Math.max(groups.length - mostGroups, 0) + Math.max(ambiguousGroups.length - mostGroups, 0);
  return leftOut === 0 ? groupsIncomplete : `${leftOut} further groups are not in the audit`;
}

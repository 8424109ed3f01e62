import type { Grants } from "@registry-gate/auth";
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

const method = member("method");
const operation = member("operation");
const repository = member("repository");
const reference = member("reference");
const client = member("client");
const username = member("username");
const attemptedUsername = member("attemptedUsername");
const backend = member("backend");
const reason = member("reason");
const cache = member("cache");
const via = member("via");

/**
 * The members of {@link requestLine} as pino writes them, each with the comma before it. The line of a request costs more
 * than all else that the gateway adds to it, if its members are looked up one by one.
 *
 * @returns `undefined` where grants of an untyped backend are nothing that JSON has.
 */
export function requestMembers(record: RequestRecord): string | undefined {
  const { principal, upstreamMilliseconds } = record;
  const grants = principal?.grants === undefined ? "" : grantsMember(principal.grants);
  if (grants === undefined) return undefined;
  return (
    `,"event":"request","requestId":${text(record.requestId)}` +
    method(record.method) +
    operation(record.operation) +
    repository(record.repository) +
    reference(record.reference) +
    client(record.client) +
    username(record.username) +
    attemptedUsername(record.attemptedUsername) +
    backend(record.backend) +
    `,"decision":"${record.decision}","phase":"${record.phase}","outcome":"${record.outcome}"` +
    reason(record.reason) +
    `,"status":${record.status}` +
    `,"bytesReceived":${record.bytesReceived},"bytesSent":${record.bytesSent}` +
    `,"milliseconds":${record.milliseconds},"gateMilliseconds":${record.gateMilliseconds}` +
    (upstreamMilliseconds === undefined ? "" : `,"upstreamMilliseconds":${upstreamMilliseconds}`) +
    cache(record.cache) +
    (principal?.kind === "user" ? via(principal.via) : "") +
    grants
  );
}

/**
 * Writes a member of a line, where it has a value. The last value's is kept: most of a line is as in the one before, and to
 * look for what JSON escapes takes a third of the time of all.
 */
function member(name: string): (value: string | undefined) => string {
  let last: string | undefined;
  let written = "";
  return (value) => {
    if (value !== last) {
      last = value;
      written = value === undefined ? "" : `,"${name}":${text(value)}`;
    }
    return written;
  };
}

function grantsMember(grants: Grants): string | undefined {
  try {
    const written: string | undefined = JSON.stringify(grants);
    return written === undefined ? undefined : `,"grants":${written}`;
  } catch {
    return undefined;
  }
}

/** What JSON writes as it stands. */
const plain = /^[ !#-[\]-~]*$/;

function text(value: string): string {
  return plain.test(value) ? `"${value}"` : JSON.stringify(value);
}

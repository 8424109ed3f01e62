import { printable } from "../printable.ts";
import type { FoundRequest } from "./find-request.ts";
import type { LogEntry } from "./log-entry.ts";
import { nextStep } from "./next-steps.ts";

const page = "docs/login-problems.md";
/** Of the names in the first column. */
const width = 9;

/** What happened to a request, for a person: lines of text. */
export function storyOf({ id, entries, meanwhile }: FoundRequest): string {
  const request = entries.find(({ event }) => event === "request");
  const audited = entries.filter((entry) => isAudit(entry));
  const others = entries.filter((entry) => entry !== request && !isAudit(entry));
  // An audit alone tells most of it.
  const told = request ?? audited[0];
  const lines = [`request ${printable(id)}${told === undefined ? "" : ` of ${value(told.time)}`}`];
  const tell = (name: string, text: string): void => void lines.push(`  ${name.padEnd(width)} ${text}`);
  if (told !== undefined) {
    tell("who", who(told));
    tell("what", what(told));
    tell("decision", decision(told));
    if (told.reason !== undefined) tell("reason", value(told.reason));
    tell("registry", registry(told));
    tell("time", durations(told));
  }
  for (const entry of others) tell(entry === others[0] ? "logged" : "", logged(entry));
  for (const entry of audited) tell(entry === audited[0] ? "audit" : "", audit(entry));
  for (const entry of meanwhile) tell(entry === meanwhile[0] ? "meanwhile" : "", logged(entry));
  const next = nextStep(told, [...others, ...meanwhile]);
  if (next !== undefined) {
    tell("next", next.advice);
    tell("", `See "${next.section}" in ${page}.`);
  }
  return `${lines.join("\n")}\n`;
}

/** Events of the audit have an id of their own beside the request's. */
function isAudit({ id, event }: LogEntry): boolean {
  return typeof id === "string" && typeof event === "string";
}

function who({ username, attemptedUsername, backend, via, client, address, agent }: LogEntry): string {
  const name =
    username !== undefined
      ? `${value(username)}, signed in${backend === undefined ? "" : ` by ${value(backend)}`}${via === undefined ? "" : ` (${value(via)})`}`
      : attemptedUsername !== undefined
        ? `${value(attemptedUsername)} tried to sign in`
        : "nobody has signed in";
  const from = client ?? address;
  const where = from === undefined ? "" : `, from ${value(from)}`;
  return `${name}${where}${agent === undefined ? "" : `, with ${value(agent)}`}`;
}

function what({ method, operation, repository, reference, tag, digest }: LogEntry): string {
  const target = reference ?? tag ?? digest;
  const separator = typeof target === "string" && target.includes(":") ? "@" : ":";
  const place =
    repository === undefined
      ? ""
      : ` on ${value(repository)}${target === undefined ? "" : `${separator}${value(target)}`}`;
  return `${operation === undefined ? "no registry operation" : value(operation)}${place} (${value(method ?? "unknown method")})`;
}

function decision({ decision: decided, phase, rule, status }: LogEntry): string {
  const by = rule === undefined ? "" : ` by access[${value(rule)}]`;
  return `${value(decided)}${by}, in the step ${value(phase)}: status ${value(status)}`;
}

function registry({ decision: decided, outcome, phase, upstreamMilliseconds, cache }: LogEntry): string {
  if (cache === "hit") return "was not asked: the response was in the cache";
  if (decided !== "allowed" && upstreamMilliseconds === undefined && phase !== "forward") return "was not asked";
  switch (outcome) {
    case "completed":
      return "responded";
    case "client-aborted":
      return "the client left before the end of the response";
    case "upstream-error":
      return "failed: see the reason and what was logged";
    case "timeout":
      return "the transfer timed out: see the reason";
    default:
      return value(outcome);
  }
}

function durations({ milliseconds, upstreamMilliseconds, bytesReceived, bytesSent, bytes }: LogEntry): string {
  const parts = [`${value(milliseconds)} ms`];
  if (upstreamMilliseconds !== undefined) parts.push(`of it the registry ${value(upstreamMilliseconds)} ms`);
  if (bytesReceived !== undefined) parts.push(`${value(bytesReceived)} bytes received, ${value(bytesSent)} sent`);
  else if (bytes !== undefined) parts.push(`${value(bytes)} bytes`);
  return parts.join(", ");
}

function logged({ level, msg, backend, server, status, reason, err }: LogEntry): string {
  const cause = typeof err === "object" && err !== null && "message" in err ? err.message : undefined;
  const named = [backend ?? server, status].filter((part) => part !== undefined).map(value);
  const about = named.length === 0 ? "" : ` (${named.join(", ")})`;
  const causes = [reason, cause].filter((part) => part !== undefined).map(value);
  const why = causes.length === 0 ? "" : `: ${causes.join("; ")}`;
  return `${value(level)}: ${value(msg ?? "no message")}${about}${why}`;
}

function audit({ id, event, outcome }: LogEntry): string {
  return `${value(event)}, ${value(outcome)} (${value(id)})`;
}

function value(given: unknown): string {
  return printable(typeof given === "string" ? given : (JSON.stringify(given) ?? "unknown"));
}

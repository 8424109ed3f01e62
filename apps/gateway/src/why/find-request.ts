import { type LogEntry, readEntry } from "./log-entry.ts";

/** Which request: the one with this id, or the last one of this user that was not allowed or failed. */
export type WantedRequest = { readonly id: string } | { readonly user: string };

/** All that logs and audits have about one request. */
export interface FoundRequest {
  readonly id: string;
  /** The lines with its id, each once, in the order read. */
  readonly entries: readonly LogEntry[];
  /** Warnings and errors without the id of any request that were logged while it was in progress. */
  readonly meanwhile: readonly LogEntry[];
}

/** How many warnings and errors are kept until the line of the request comes. */
const mostKept = 200;
/** What was logged so shortly before the request may be why it failed, in milliseconds. */
const before = 1000;
/** By the text of a line: a warning, an error, or a text that journald exports as bytes. */
const grave = /level\\*":\\*"(?:warn|error|fatal)|"MESSAGE":\s*\[/;
const failures = ["upstream-error", "timeout", "internal-error"];
const graveOrRefused = new RegExp(
  `${grave.source}|decision\\\\*":\\\\*"(?!allowed)|outcome\\\\*":\\\\*"(?:${failures.join("|")})`,
);
const graveLevels: readonly unknown[] = ["warn", "error", "fatal"];

/**
 * Reads lines in the order of the log, and keeps no more of them than what may concern the request.
 *
 * @returns `undefined` where there is nothing of it.
 */
export async function findRequest(
  wanted: WantedRequest,
  lines: AsyncIterable<string>,
): Promise<FoundRequest | undefined> {
  const concerning = "user" in wanted ? graveOrRefused : grave;
  const recent: LogEntry[] = [];
  let found = "id" in wanted ? collected(wanted.id) : undefined;
  for await (const line of lines) {
    // Most lines are of other requests and are not parsed.
    if (!concerning.test(line) && (found === undefined || !line.includes(found.id))) continue;
    const entry = readEntry(line);
    if (entry === undefined) continue;
    const { requestId } = entry;
    if ("user" in wanted && typeof requestId === "string" && isOf(wanted.user, entry) && isLater(entry, found)) {
      found = collected(requestId, Date.parse(String(entry.time)));
      for (const other of recent) if (other.requestId === requestId) found.add(other);
    }
    if (found !== undefined && requestId === found.id) found.add(entry, recent);
    if (!isGrave(entry)) continue;
    recent.push(entry);
    if (recent.length > mostKept) recent.shift();
  }
  return found === undefined || found.entries.length === 0 ? undefined : found;
}

/** A request of which lines are collected. */
interface Collected extends FoundRequest {
  /** When the line that names it was written; not a number where that is not known. */
  readonly time: number;
  /** @param recent What was logged before the line of the request, once that comes. */
  add(entry: LogEntry, recent?: readonly LogEntry[]): void;
}

function collected(id: string, time = Number.NaN): Collected {
  const entries: LogEntry[] = [];
  const meanwhile: LogEntry[] = [];
  const seen = new Set<string>();
  return {
    id,
    time,
    entries,
    meanwhile,
    add(entry, recent = []) {
      // The same line may be in a file and in its copy.
      const text = JSON.stringify(entry);
      if (seen.has(text)) return;
      seen.add(text);
      entries.push(entry);
      if (entry.event !== "request") return;
      meanwhile.push(...recent.filter((other) => other.requestId === undefined && isDuring(other, entry)));
    },
  };
}

/** Another request than the one found, and not an earlier one: an audit and a log may be read one after the other. */
function isLater({ requestId, time }: LogEntry, found: Collected | undefined): boolean {
  if (found === undefined) return true;
  return requestId !== found.id && !(Date.parse(String(time)) < found.time);
}

function isGrave({ level }: LogEntry): boolean {
  return graveLevels.includes(level);
}

function isOf(user: string, { username, attemptedUsername, decision, outcome }: LogEntry): boolean {
  if (decision === undefined || ![username, attemptedUsername].includes(user)) return false;
  return decision !== "allowed" || failures.includes(String(outcome));
}

function isDuring(other: LogEntry, request: LogEntry): boolean {
  const [at, end] = [Date.parse(String(other.time)), Date.parse(String(request.time))];
  const took = typeof request.milliseconds === "number" ? request.milliseconds : 0;
  return at <= end && at >= end - took - before;
}

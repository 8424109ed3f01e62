import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AcceptedWrite } from "./ledger.ts";

/** A line of an audit, as far as it is judged. */
interface AuditLine {
  readonly id?: unknown;
  readonly requestId?: unknown;
  readonly event?: unknown;
  readonly username?: unknown;
  readonly repository?: unknown;
}

/** The beginning of the name of the audit's files, rotated ones too. */
const prefix = "audit.jsonl";

/**
 * Compares the audits of all replicas with what clients saw.
 *
 * @returns what is missing in them, stands there twice, or says something else.
 */
export async function auditFaults(
  directories: readonly string[],
  writes: readonly AcceptedWrite[],
): Promise<{ readonly lines: number; readonly faults: readonly string[] }> {
  const faults: string[] = [];
  const byRequest = new Map<unknown, AuditLine[]>();
  const ids = new Set<unknown>();
  let lines = 0;
  for (const directory of directories) {
    for (const name of (await readdir(directory)).filter((file) => file.startsWith(prefix))) {
      const text = await readFile(join(directory, name), "utf8");
      for (const each of text.split("\n").filter((line) => line !== "")) {
        lines++;
        const line = parsed(each);
        if (line === undefined) {
          faults.push(`${name} has a line that is none: ${each.slice(0, 200)}`);
          continue;
        }
        if (ids.has(line.id)) faults.push(`the audit has the event ${String(line.id)} twice`);
        ids.add(line.id);
        if (line.event !== "push" && line.event !== "delete") continue;
        byRequest.set(line.requestId, [...(byRequest.get(line.requestId) ?? []), line]);
      }
    }
  }
  for (const { event, username, repository, reference, requestId } of writes) {
    const found = byRequest.get(requestId) ?? [];
    const what = `${event} of ${repository}:${reference} by ${username}, request ${requestId}`;
    if (found.length !== 1) faults.push(`the audit has ${found.length} lines for the ${what}`);
    for (const line of found) {
      if (line.event !== event || line.username !== username || line.repository !== repository) {
        faults.push(`the audit has for the ${what}: ${JSON.stringify(line)}`);
      }
    }
  }
  for (const [request, found] of byRequest) {
    if (found.length > 1) faults.push(`the audit has ${found.length} writes of the request ${String(request)}`);
  }
  return { lines, faults };
}

function parsed(text: string): AuditLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

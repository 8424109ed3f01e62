import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runGate } from "../gateway/run-gate.ts";
import type { RunningGate } from "../support/gate.ts";

/** One line of an audit. */
export type AuditedEvent = Readonly<Record<string, unknown>>;

/** The events of an audit and of its rotated files, the oldest first. A line that is no JSON is an error. */
export async function auditOf(gate: Pick<RunningGate, "directory">, file = "audit.jsonl"): Promise<AuditedEvent[]> {
  return eventsOf(gate.directory, file);
}

export async function eventsOf(directory: string, file = "audit.jsonl"): Promise<AuditedEvent[]> {
  const names = (await readdir(directory)).filter((name) => name === file || name.startsWith(`${file}.`));
  const ageOf = (name: string): number => Number(name.slice(file.length + 1));
  const texts = await Promise.all(
    names.sort((one, other) => ageOf(other) - ageOf(one)).map((name) => readFile(join(directory, name), "utf8")),
  );
  return texts.flatMap(linesOf).map(parseEvent);
}

export function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

export function parseEvent(line: string): AuditedEvent {
  const event: unknown = JSON.parse(line);
  if (typeof event !== "object" || event === null) throw new TypeError(`not an event: ${line}`);
  return { ...event };
}

/** Members of the JSON Schema that `registry-gate schema --audit` prints. */
export interface EventSchema {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required: readonly string[];
}

export async function printedSchema(): Promise<EventSchema> {
  const { stdout } = await runGate(["schema", "--audit"]);
  return JSON.parse(stdout);
}

import { systemErrorCode } from "@registry-gate/auth-kit";
import type { Policy } from "@registry-gate/core";
import { type Difference, type Replay, type Ruling, replay } from "../audit/replay.ts";
import { oneLine } from "../one-line.ts";
import { printable, printableJson } from "../printable.ts";
import { linesOf, linesOfFile } from "../read-lines.ts";

/** How many accesses of a difference are printed as text. */
const mostPrinted = 10;

/**
 * Prints what a policy would decide otherwise about the requests of audits, alone; what was not replayed is counted on
 * standard error.
 *
 * @param files Their paths; `-` is the standard input, and what gzip has compressed is unpacked.
 * @returns the exit code: 1 where anything would be decided otherwise, or a file cannot be read.
 */
export async function printReplay(files: readonly string[], policy: Policy, json: boolean): Promise<number> {
  let current = files[0] ?? "";
  async function* lines(): AsyncGenerator<string> {
    for (const file of files) {
      current = file;
      yield* file === "-" ? linesOf(process.stdin) : linesOfFile(file);
    }
  }
  let result: Replay;
  try {
    result = await replay(lines(), policy);
  } catch (error) {
    process.stderr.write(`${current}: cannot be read: ${systemErrorCode(error) ?? oneLine(error)}\n`);
    return 1;
  }
  const { differences } = result;
  process.stdout.write(json ? asJson(differences) : differences.map(asText).join(""));
  process.stderr.write(noteOf(result));
  return differences.length > 0 ? 1 : 0;
}

function asText({ username, was, would, requests, accesses }: Difference): string {
  const who = username === undefined ? "anonymous callers" : printable(username);
  const count = requests === 1 ? "1 request was" : `${requests} requests were`;
  const printed = [...accesses].slice(0, mostPrinted).map(([access, times]) => `  ${access} (${times})\n`);
  const further = accesses.size - printed.length;
  if (further > 0) printed.push(`  and ${further} others\n`);
  return `${who}: ${count} ${inWords(was)}, and would be ${inWords(would)}\n${printed.join("")}`;
}

function inWords({ allowed, rule }: Ruling): string {
  if (rule !== undefined) return `${allowed ? "allowed" : "denied"} by access[${rule}]`;
  return allowed ? "allowed without rules" : "denied because no rule allows it";
}

function asJson(differences: readonly Difference[]): string {
  const printed = differences.map(({ username, was, would, requests, accesses }) => ({
    username: username ?? null,
    was: { allowed: was.allowed, rule: was.rule ?? null },
    would: { allowed: would.allowed, rule: would.rule ?? null },
    requests,
    accesses: Object.fromEntries(accesses),
  }));
  return `${printableJson(printed, 2)}\n`;
}

function noteOf({ replayed, unreadable, undecided, beyondRules }: Replay): string {
  const notes = [
    `${replayed} requests replayed`,
    ...(undecided > 0 ? [`${undecided} events that no rule decided`] : []),
    ...(beyondRules > 0 ? [`${beyondRules} denials for another reason than rules, such as an immutable tag`] : []),
    ...(unreadable > 0 ? [`${unreadable} lines that are no event`] : []),
  ];
  return `${notes.join("; ")}\n`;
}

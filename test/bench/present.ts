import { readFile, writeFile } from "node:fs/promises";
import { compareRuns, comparisonWarnings, formatChanges } from "./compare.ts";
import { judgedValue } from "./findings.ts";
import { htmlReport } from "./html.ts";
import { keepRun } from "./keep-run.ts";
import { busyWarning } from "./machine.ts";
import { markdownRun, updatePage } from "./markdown.ts";
import type { Options } from "./options.ts";
import { formatBound, formatFigure, missedLimits } from "./report.ts";
import { formatRun, type RunRecord } from "./run-record.ts";

export interface Presentation extends Pick<Options, "json" | "report" | "markdown"> {
  readonly before: RunRecord | undefined;
}

/** Writes all that was asked for. @returns how the command ends: 1 where a limit is missed. */
export async function present(
  run: RunRecord,
  { json, report, markdown, before }: Presentation,
  output: { write(text: string): unknown },
): Promise<0 | 1> {
  if (before !== undefined) {
    const changes = compareRuns(before, run);
    output.write(`Against the run of ${before.startedAt}\n\n${formatChanges(changes)}`);
    for (const warning of comparisonWarnings(before, run)) output.write(`not quite the same: ${warning}\n`);
    const worse = changes.filter(({ verdict }) => verdict === "worse").length;
    output.write(`figures compared: ${changes.length}, worse: ${worse}\n\n`);
  }
  if (json === "-") process.stdout.write(formatRun(run));
  else if (json !== undefined) await keepRun(json, run);
  if (report !== undefined) await writeFile(report, htmlReport(run, before));
  if (markdown !== undefined) {
    await writeFile(markdown, updatePage(await readFile(markdown, "utf8"), markdownRun(run)));
  }
  const warning = busyWarning(run.machine);
  if (warning !== undefined) output.write(`${warning}\n`);
  const missed = missedLimits(run.findings);
  for (const { title, limit } of missed) {
    output.write(
      `MISSED  ${title}: ${limit.name} ${formatFigure(judgedValue(limit), 2)}, ${formatBound(limit.bound)}\n`,
    );
  }
  output.write(missed.length === 0 ? "every limit is kept\n" : `limits missed: ${missed.length}\n`);
  return missed.length === 0 ? 0 : 1;
}

import type { Column, Findings } from "./findings.ts";
import { alignTable, formatFigure } from "./report.ts";
import { median, spread } from "./rounds.ts";
import type { RunRecord } from "./run-record.ts";

/** One figure of two runs. */
export interface Change {
  /** Of its findings. */
  readonly title: string;
  /** Of its row. */
  readonly name: string;
  readonly column: Column;
  /** Medians. */
  readonly before: number;
  readonly now: number;
  /** now ÷ before */
  readonly ratio: number;
  /** `undefined`: not to be told from chance, or there is no better and worse. */
  readonly verdict?: "better" | "worse";
}

/** The least that counts, as a share: with so few rounds, spreads are estimates. */
const leastChange = 0.03;

/** Every figure that both runs have and that can be better or worse. */
export function compareRuns(before: RunRecord, now: RunRecord): Change[] {
  const earlier = new Map(before.findings.map((findings) => [findings.id, findings]));
  return now.findings.flatMap((findings) => {
    const other = earlier.get(findings.id);
    return other === undefined ? [] : compareFindings(other, findings);
  });
}

function compareFindings(before: Findings, now: Findings): Change[] {
  const rows = new Map(before.rows.map((row) => [row.name, row]));
  return now.rows.flatMap((row) =>
    now.columns.flatMap((column): Change[] => {
      const ours = row.samples[column.id] ?? [];
      const theirs = rows.get(row.name)?.samples[column.id] ?? [];
      if (column.better === undefined || ours.length === 0 || theirs.length === 0) return [];
      const verdict = verdictOf(theirs, ours, column.better);
      const medians = { before: median(theirs), now: median(ours) };
      const ratio = medians.now / medians.before;
      return [{ title: now.title, name: row.name, column, ...medians, ratio, ...(verdict && { verdict }) }];
    }),
  );
}

/** Worse, or better, is what is so by more than the rounds of both runs are apart: the worst of one beats the best of the other. */
function verdictOf(
  before: readonly number[],
  now: readonly number[],
  better: "more" | "less",
): "better" | "worse" | undefined {
  const [was, is] = [spread(before), spread(now)];
  if (!(Math.abs(median(now) / median(before) - 1) >= leastChange)) return undefined;
  if (is.most < was.least) return better === "more" ? "worse" : "better";
  if (is.least > was.most) return better === "less" ? "worse" : "better";
  return undefined;
}

/** A table of ratios, with a mark at what is worse or better. */
export function formatChanges(changes: readonly Change[]): string {
  const lines: string[] = [];
  for (const title of new Set(changes.map((change) => change.title))) {
    const rows = changes
      .filter((change) => change.title === title)
      .map(({ name, column, before, now, ratio, verdict = "" }) => [
        name,
        column.label,
        formatFigure(before, column.digits),
        formatFigure(now, column.digits),
        formatFigure(ratio, 2),
        verdict === "worse" ? "WORSE" : verdict,
      ]);
    lines.push(title, "", ...alignTable([["", "", "before", "now", "now ÷ before", ""], ...rows]), "");
  }
  return lines.join("\n");
}

/** What makes two runs hard to compare, in sentences. */
export function comparisonWarnings(before: RunRecord, now: RunRecord): string[] {
  const warnings: string[] = [];
  if (before.quick !== now.quick) warnings.push("one of the two runs is quick, the other is not");
  const differing = (["cores", "processor", "node"] as const).filter((key) => before.machine[key] !== now.machine[key]);
  for (const key of differing) warnings.push(`${key}: ${before.machine[key]} before, ${now.machine[key]} now`);
  return warnings;
}

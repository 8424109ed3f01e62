import { type Findings, isKept, judgedValue } from "./findings.ts";
import { busyWarning, formatMachine } from "./machine.ts";
import { formatBound, formatFigure, formatMedian, formatSpread } from "./report.ts";
import type { RunRecord } from "./run-record.ts";

const begin = "<!-- pnpm bench: begin -->";
const end = "<!-- pnpm bench: end -->";

/** The tables of a run for a page of documentation. */
export function markdownRun(run: RunRecord): string {
  const kind = run.quick ? "Quick run" : "Whole run";
  const about = `${kind} of ${run.startedAt.slice(0, 10)}, ${Math.round(run.seconds)} s: ${formatMachine(run.machine)}.`;
  const warning = busyWarning(run.machine);
  return [about, ...(warning === undefined ? [] : [`**${warning}.**`]), ...run.findings.map(markdownFindings)].join(
    "\n\n",
  );
}

function markdownFindings({ title, columns, rows, limits, notes = [] }: Findings): string {
  const [first, ...others] = columns;
  const table = first && [
    ["", first.label, "min–max", ...others.map(({ label }) => label)],
    ...rows.map((row) => [
      row.own === true ? `**${escapeMarkdown(row.name)}**` : escapeMarkdown(row.name),
      formatMedian(first, row),
      formatSpread(first, row),
      ...others.map((column) => formatMedian(column, row)),
    ]),
  ];
  const outcomes = limits.map(
    (limit) =>
      `- ${isKept(limit) ? "kept" : "**missed**"}: ${escapeMarkdown(limit.name)} ${formatFigure(judgedValue(limit), 2)}, ${formatBound(limit.bound)}`,
  );
  return [
    `### ${title}`,
    table === undefined ? "" : alignMarkdown(table),
    outcomes.join("\n"),
    notes.map(escapeMarkdown).join("\n"),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function alignMarkdown([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(4, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (column === 0 ? (row[column] ?? "").padEnd(width) : (row[column] ?? "").padStart(width))).join(" | ")} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\|*_<]/g, "\\$&");
}

/** Puts the tables between the two marks of a page. @throws {TypeError} where the page has not got them. */
export function updatePage(page: string, tables: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new TypeError(`the page has no ${begin} before ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${tables}\n\n${page.slice(to)}`;
}

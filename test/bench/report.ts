import { type Bound, type Column, type Findings, isKept, judgedValue, type Limit, type Row } from "./findings.ts";
import { median, spread } from "./rounds.ts";

/** Findings as lines of text: the median of the rounds, and of the first column the least and the most too. */
export function formatFindings({ title, columns, rows, limits, notes = [] }: Findings): string {
  const [first] = columns;
  const withSpread = rows.some(({ samples }) => first !== undefined && (samples[first.id]?.length ?? 0) > 1);
  const head = ["", ...columns.map(({ label }) => label)];
  if (withSpread) head.splice(2, 0, "min–max");
  const table = rows.map((row) => {
    const cells = [row.name, ...columns.map((column) => formatMedian(column, row))];
    if (withSpread && first !== undefined) cells.splice(2, 0, formatSpread(first, row));
    return cells;
  });
  const outcomes = limits.map((limit) => [
    isKept(limit) ? "kept" : "MISSED",
    limit.name,
    formatFigure(judgedValue(limit), 2),
    formatBound(limit.bound),
  ]);
  const parts = [
    rows.length === 0 ? [] : alignTable([head, ...table]),
    alignTable(outcomes),
    notes.map((note) => `  ${note}`),
  ];
  return [title, ...parts.filter((lines) => lines.length > 0).flatMap((lines) => ["", ...lines]), ""].join("\n");
}

export function formatMedian({ id, digits }: Column, { samples }: Row): string {
  const figures = samples[id] ?? [];
  return figures.length === 0 ? "" : formatFigure(median(figures), digits);
}

/** Empty where there was one round. */
export function formatSpread({ id, digits }: Column, { samples }: Row): string {
  const figures = samples[id] ?? [];
  if (figures.length < 2) return "";
  const { least, most } = spread(figures);
  return `${formatFigure(least, digits)}–${formatFigure(most, digits)}`;
}

/** With commas between thousands. */
export function formatFigure(value: number, digits: number): string {
  if (Number.isNaN(value)) return "?";
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function formatBound(bound: Bound): string {
  return "atLeast" in bound ? `at least ${bound.atLeast}` : `at most ${bound.atMost}`;
}

/** The limits that are missed, each with the title of its findings. */
export function missedLimits(findings: readonly Findings[]): { readonly title: string; readonly limit: Limit }[] {
  return findings.flatMap(({ title, limits }) =>
    limits.filter((limit) => !isKept(limit)).map((limit) => ({ title, limit })),
  );
}

/** The first column begins at the left, those of figures end at the right. */
export function alignTable(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows.map((row) =>
    `  ${row
      .map((cell, column) =>
        isFigure(rows, column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")}`.trimEnd(),
  );
}

function isFigure(rows: readonly (readonly string[])[], column: number): boolean {
  return rows.slice(1).every((row) => /^[\d.,–?∞-]*$/.test(row[column] ?? "")) && rows.length > 1;
}

/** What a part of the benchmark has found. */
export interface Findings {
  readonly title: string;
  /** Rows of cells, the first with the names of the columns. */
  readonly table: readonly (readonly string[])[];
  readonly limits: readonly Limit[];
}

/** A figure that must keep to a limit. */
export interface Limit {
  readonly name: string;
  readonly value: number;
  readonly bound: { readonly atLeast: number } | { readonly atMost: number };
}

export function isKept({ value, bound }: Limit): boolean {
  return "atLeast" in bound ? value >= bound.atLeast : value <= bound.atMost;
}

export function formatFindings({ title, table, limits }: Findings): string {
  const outcome = (limit: Limit): string[] => {
    const bound = "atLeast" in limit.bound ? `at least ${limit.bound.atLeast}` : `at most ${limit.bound.atMost}`;
    return [isKept(limit) ? "kept" : "MISSED", limit.name, limit.value.toFixed(2), bound];
  };
  return [title, "", ...formatTable(table), "", ...formatTable(limits.map(outcome)), ""].join("\n");
}

/** The first column begins at the left, those of figures end at the right. */
function formatTable(rows: readonly (readonly string[])[]): string[] {
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
  return rows.slice(1).every((row) => /^[\d.,-]*$/.test(row[column] ?? "")) && rows.length > 1;
}

import type { Outcome } from "./client.ts";

/** The cells below the head of a table, by row and column. */
export type Cells = ReadonlyMap<string, readonly string[]>;

/** How much of what a client said is shown where the table has nothing of it yet. */
const longest = 120;

/**
 * The cell for what became of a step.
 *
 * @param kept The cell that the table has. Where the client said its words among others, they are what counts: the rest is
 * names, digests and times.
 */
export function cellOf({ ok, words, note }: Outcome, kept: string | undefined): string {
  if (ok) return note ?? "yes";
  const said = words.replaceAll(/\s+/g, " ").replaceAll("`", "'").replaceAll("|", "/");
  const quoted = /^`(.{4,})`$/.exec(kept ?? "")?.[1];
  if (quoted !== undefined && said.includes(quoted)) return `\`${quoted}\``;
  return `\`${said.slice(-longest)}\``;
}

/**
 * Reads the first table below a heading of a Markdown file.
 *
 * @returns its rows, each by its first cell; empty where there is no such heading or no table below it.
 */
export function readTable(markdown: string, heading: string): Cells {
  const lines = markdown.split("\n");
  const from = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading);
  const cells = new Map<string, readonly string[]>();
  if (from < 0) return cells;
  for (const line of lines.slice(from + 1)) {
    if (line.startsWith("#") || (cells.size > 0 && !line.startsWith("|"))) break;
    if (!line.startsWith("|")) continue;
    const [first = "", ...others] = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (!/^:?-+:?$/.test(first)) cells.set(first, others);
  }
  return cells;
}

/** Writes a table as the file has it; its first row is the head. */
export function writeTable(cells: Cells): string {
  const rows = [...cells].map(([first, others]) => [first, ...others]);
  const [head = [], ...below] = rows;
  const widths = head.map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const write = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [head, widths.map((width) => "-".repeat(width)), ...below].map(write).join("\n");
}

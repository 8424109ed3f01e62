import type { Column, Row } from "./findings.ts";
import { escapeHtml } from "./markup.ts";
import { formatMedian } from "./report.ts";
import { median, spread } from "./rounds.ts";

/** Of the drawing, which is stretched to the width that there is. */
const width = 1000;
const height = 20;

/**
 * A bar for each row that has the column, with a line from the least to the most of its rounds. Names and figures are
 * text beside the drawings, so that they are as large on a phone.
 */
export function barChart(column: Column, rows: readonly Row[]): string {
  const drawn = rows.flatMap((row) => {
    const figures = (row.samples[column.id] ?? []).filter(Number.isFinite);
    return figures.length === 0 ? [] : [{ row, middle: median(figures), ...spread(figures) }];
  });
  const scale = Math.max(...drawn.map(({ most }) => most));
  if (!(scale > 0)) return "";
  const place = (figure: number): string => ((Math.max(0, figure) / scale) * width).toFixed(1);
  const bars = drawn.map(({ row, middle, least, most }) => {
    const line =
      least === most
        ? ""
        : `<path class="spread" d="M${place(least)} ${height / 2}H${place(most)}M${place(least)} 5V15M${place(most)} 5V15"/>`;
    return `<div class="bar${row.own === true ? " own" : ""}"><span class="name">${escapeHtml(row.name)}</span><svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" aria-hidden="true"><rect width="${place(middle)}" height="${height}"/>${line}</svg><span class="figure">${formatMedian(column, row)}</span></div>`;
  });
  const direction = column.better === undefined ? "" : `, ${column.better} is better`;
  return `<figure class="chart"><figcaption>${escapeHtml(column.label)}${direction}</figcaption>
${bars.join("\n")}
</figure>`;
}

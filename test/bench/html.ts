import { barChart } from "./bar-chart.ts";
import { type Change, compareRuns, comparisonWarnings } from "./compare.ts";
import { type Findings, isKept, judgedValue } from "./findings.ts";
import { style } from "./html-style.ts";
import { busyWarning, formatMachine } from "./machine.ts";
import { escapeHtml } from "./markup.ts";
import { formatBound, formatFigure, formatMedian, formatSpread, missedLimits } from "./report.ts";
import type { RunRecord } from "./run-record.ts";

/** A run as one page of HTML that needs nothing else: no script, no font and no picture from elsewhere. */
export function htmlReport(run: RunRecord, before?: RunRecord): string {
  const count = run.findings.reduce((sum, { limits }) => sum + limits.length, 0);
  const missed = missedLimits(run.findings);
  const warnings = [busyWarning(run.machine), ...(before === undefined ? [] : comparisonWarnings(before, run))];
  const changes = before === undefined ? [] : compareRuns(before, run);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>registry-gate: benchmark of ${escapeHtml(run.startedAt.slice(0, 10))}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>registry-gate: benchmark</h1>
<p>${run.quick ? "Quick run" : "Whole run"} of <time datetime="${escapeHtml(run.startedAt)}">${escapeHtml(run.startedAt.slice(0, 16).replace("T", " "))} UTC</time>, ${Math.round(run.seconds)} s.
${escapeHtml(formatMachine(run.machine))}.</p>
<p>Bars are medians of the rounds; the line at their end goes from the least to the most of them. Compare within a table: figures of another machine are others.</p>
${warnings.map((warning) => (warning === undefined ? "" : `<p class="warning">${escapeHtml(warning)}</p>`)).join("\n")}
<p class="${missed.length === 0 ? "kept" : "missed"} summary">${missed.length === 0 ? `✓ all ${count} limits are kept` : `✗ ${missed.length} of ${count} limits missed`}</p>
${missed.length === 0 ? "" : `<ul>${missed.map(({ title, limit }) => `<li>${escapeHtml(title)}: ${escapeHtml(limit.name)} ${formatFigure(judgedValue(limit), 2)}, ${formatBound(limit.bound)}</li>`).join("\n")}</ul>`}
</header>
<nav aria-label="Contents"><ol>
${run.findings.map(({ id, title }) => `<li><a href="#${escapeHtml(id)}">${escapeHtml(title)}</a></li>`).join("\n")}
${changes.length === 0 ? "" : '<li><a href="#changes">Against the earlier run</a></li>'}
</ol></nav>
<main>
${run.findings.map(section).join("\n")}
${before === undefined ? "" : changesSection(changes, before)}
</main>
</body>
</html>
`;
}

function section(findings: Findings): string {
  const { id, title, columns, rows, limits, notes = [] } = findings;
  const [first, ...others] = columns;
  const head = ["", first?.label ?? "", "min–max", ...others.map(({ label }) => label)];
  const body = rows.map((row) => {
    const cells =
      first === undefined
        ? []
        : [formatMedian(first, row), formatSpread(first, row), ...others.map((column) => formatMedian(column, row))];
    return `<tr${row.own === true ? ' class="own"' : ""}><th scope="row">${escapeHtml(row.name)}</th>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`;
  });
  return `<section id="${escapeHtml(id)}">
<h2>${escapeHtml(title)}</h2>
${first === undefined ? "" : barChart(first, rows)}
${
  rows.length === 0
    ? ""
    : `<div class="table" tabindex="0" role="region" aria-label="${escapeHtml(title)}, figures"><table>
<thead><tr>${head.map((cell) => (cell === "" ? "<td></td>" : `<th scope="col">${escapeHtml(cell)}</th>`)).join("")}</tr></thead>
<tbody>${body.join("\n")}</tbody>
</table></div>`
}
${limits.length === 0 ? "" : `<ul class="limits">${limits.map(limitItem).join("\n")}</ul>`}
${notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join("\n")}
</section>`;
}

function limitItem(limit: Findings["limits"][number]): string {
  const [sort, word] = isKept(limit) ? ["kept", "✓ kept"] : ["missed", "✗ missed"];
  return `<li><span class="${sort}">${word}</span> ${escapeHtml(limit.name)}: <b>${formatFigure(judgedValue(limit), 2)}</b>, ${formatBound(limit.bound)}</li>`;
}

function changesSection(changes: readonly Change[], before: RunRecord): string {
  const rows = changes.map(
    ({ title, name, column, before, now, ratio, verdict = "" }) =>
      `<tr class="${verdict}"><th scope="row">${escapeHtml(title)}: ${escapeHtml(name)}, ${escapeHtml(column.label)}</th><td>${formatFigure(before, column.digits)}</td><td>${formatFigure(now, column.digits)}</td><td>${formatFigure(ratio, 2)}</td><td>${verdict}</td></tr>`,
  );
  return `<section id="changes">
<h2>Against the run of ${escapeHtml(before.startedAt.slice(0, 16).replace("T", " "))} UTC</h2>
<p>Worse or better is what is so by more than the rounds of both runs are apart.</p>
${changes.length === 0 ? "<p>The two runs have no figure in common.</p>" : `<div class="table" tabindex="0" role="region" aria-label="Changes"><table><thead><tr><td></td><th scope="col">before</th><th scope="col">now</th><th scope="col">now ÷ before</th><td></td></tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`}
</section>`;
}

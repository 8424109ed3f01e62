/** The style of the report: by the reader's choice light or dark, for desktops, phones and paper. */
export const style = `
:root { color-scheme: light dark; --text: #1b1f24; --soft: #57606a; --page: #fff; --line: #d0d7de; --band: #f6f8fa;
  --own: #0969da; --other: #8c959f; --spread: #1b1f24; --kept: #116329; --missed: #b3151f; --warning: #7d4e00; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --soft: #9aa4af; --page: #0d1117; --line: #30363d; --band: #161b22;
    --own: #4493f8; --other: #6e7681; --spread: #f0f6fc; --kept: #56d364; --missed: #ff7b72; --warning: #e3b341; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem 1.25rem 3rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 0 0 .75rem; }
a { color: var(--own); }
section { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: 1.5rem; }
nav ol { columns: 20rem auto; column-gap: 3rem; margin: 0; padding-left: 1.5rem; }
nav li { break-inside: avoid; }
.summary { font-size: 1.1rem; font-weight: 600; }
.kept, tr.better td:last-child { color: var(--kept); }
.missed, tr.worse td:last-child { color: var(--missed); font-weight: 600; }
.warning { color: var(--warning); font-weight: 600; }
.note, figcaption { color: var(--soft); font-size: .9rem; }
.chart { margin: 0 0 1rem; }
.bar { display: grid; grid-template-columns: minmax(8rem, 17rem) 1fr 5.5rem; gap: .2rem .75rem; align-items: center; margin: .3rem 0; }
.bar svg { display: block; width: 100%; height: 1.1rem; }
.bar rect { fill: var(--other); }
.bar.own rect { fill: var(--own); }
.bar .name { overflow-wrap: anywhere; line-height: 1.25; }
.bar.own .name, .bar.own .figure, tr.own > * { font-weight: 600; }
.spread { fill: none; stroke: var(--spread); stroke-width: 1.5px; vector-effect: non-scaling-stroke; }
.figure, td { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
thead th { text-align: right; white-space: nowrap; }
tbody th { text-align: left; font-weight: inherit; min-width: 9rem; }
tbody tr:nth-child(odd) { background: var(--band); }
.limits { list-style: none; padding: 0; }
@media (max-width: 40rem) {
  body { padding: .75rem .75rem 2rem; }
  .bar { grid-template-columns: 1fr auto; margin: .6rem 0; }
  .bar svg { grid-row: 2; grid-column: 1 / -1; }
}
@media print {
  :root { color-scheme: light; --text: #000; --soft: #444; --page: #fff; --line: #bbb; --band: #f4f4f4; --own: #0550ae;
    --other: #999; --spread: #000; --kept: #116329; --missed: #b3151f; --warning: #7d4e00; }
  html { font-size: 8.5pt; }
  body { max-width: none; padding: 0; }
  th, td { padding: .2rem .4rem; }
  nav { display: none; }
  section { break-inside: avoid-page; margin-top: 1rem; padding-top: .75rem; }
  #changes { break-inside: auto; }
  tr, .bar { break-inside: avoid; }
  .table { overflow: visible; }
  rect, tbody tr { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

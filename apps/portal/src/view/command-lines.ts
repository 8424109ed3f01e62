import { copyLine } from "./copy.ts";
import { type Html, html } from "./html.ts";

/** A line to copy, with what it is for. */
export interface CommandLine {
  readonly label: string;
  readonly line: string;
}

/** Lines to be copied, each with what it is for. */
export function commandLines(lines: readonly CommandLine[]): Html {
  return html`<dl class="lines">${lines.map(
    ({ label, line }) => html`<div><dt>${label}</dt><dd>${copyLine(line, label)}</dd></div>`,
  )}</dl>`;
}

/** As a shell of Unix takes it for one word. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** As PowerShell takes it for one word. */
export function powerShellWord(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

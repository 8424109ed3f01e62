import { type Html, html } from "./html.ts";

/**
 * A line to copy. Its button works with the portal's script, and is hidden without it.
 *
 * @param what Tells the button apart from others for who does not see the line: `the pull command`.
 */
export function copyLine(line: string, what: string): Html {
  return html`<div class="copy"><code>${line}</code><button type="button" class="quiet" data-copy="${line}" hidden>Copy<span class="hidden"> ${what}</span></button></div>`;
}

/** Several lines that belong together. */
export function copyLines(lines: readonly string[], what: string): Html {
  return copyLine(lines.join("\n"), what);
}

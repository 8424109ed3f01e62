import { type Html, html } from "./html.ts";

const units = [
  ["year", 31_536_000_000],
  ["month", 2_592_000_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** A time as people say it, with the exact one behind it. */
export function timeView(time: number, now: number = Date.now()): Html {
  const exact = new Date(time).toISOString();
  return html`<time datetime="${exact}" title="${exact.slice(0, 16).replace("T", " ")} UTC">${relativeTime(time, now)}</time>`;
}

export function relativeTime(time: number, now: number): string {
  const distance = time - now;
  for (const [unit, length] of units) {
    if (Math.abs(distance) >= length) return relative.format(Math.round(distance / length), unit);
  }
  return distance < 0 ? "just now" : "in a moment";
}

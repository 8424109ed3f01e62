import { type Html, html } from "./html.ts";

const units: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ["year", 365.25 * 86_400],
  ["month", 30.44 * 86_400],
  ["week", 7 * 86_400],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });

/** How long ago, or in how long, in the largest unit that fits: `3 days ago`, `in 2 weeks`, `just now`. */
export function relativeTime(date: Date, now: Date = new Date()): string {
  const seconds = (date.getTime() - now.getTime()) / 1000;
  for (const [unit, length] of units) {
    if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
  }
  return seconds > 0 ? "in a moment" : "just now";
}

/** Such as `20 November 2026 at 10:00 UTC`. */
export function exactTime(date: Date): string {
  return `${exact.format(date)} UTC`;
}

/**
 * A relative time, with the exact one behind it.
 *
 * @param time A date, or milliseconds since the epoch.
 */
export function timeView(time: Date | number, now?: Date): Html {
  const date = new Date(time);
  return html`<time datetime="${date.toISOString()}" title="${exactTime(date)}">${relativeTime(date, now)}</time>`;
}

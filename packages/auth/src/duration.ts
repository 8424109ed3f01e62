/** A time in options: whole milliseconds, or a text such as `500ms`, `30s`, `15m`, `1.5h`. */
export type Duration = number | string;

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** The longest time that a timer can be set to. */
const longest = 2 ** 31 - 1;

/** The form of a duration that is written as text, for JSON Schema. */
export const durationPattern: RegExp = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/;

/**
 * Reads a duration, so that all options of a gate are written alike.
 *
 * @returns milliseconds: whole, and from 0 to the longest that a timer can wait, some 24 days; `undefined` for anything
 * else.
 */
export function parseDuration(duration: Duration): number | undefined {
  const milliseconds = typeof duration === "number" ? duration : parseText(duration);
  return Number.isInteger(milliseconds) && milliseconds >= 0 && milliseconds <= longest ? milliseconds : undefined;
}

function parseText(text: string): number {
  const [, amount, unit = ""] = durationPattern.exec(text) ?? [];
  return Math.round(Number(amount) * (units[unit] ?? Number.NaN));
}

/** A time in options: whole milliseconds, or a text such as `500ms`, `30s`, `15m`, `1.5h`, `30d`. */
export type Duration = number | string;

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A hundred years: what is longer is a slip of the pen. */
const longest = 36_525 * 86_400_000;

/** The longest delay that `setTimeout` and its kin take; what is longer they replace by one millisecond. */
const longestDelay = 2 ** 31 - 1;

/** The form of a duration that is written as text, for JSON Schema. */
export const durationPattern: RegExp = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;

/**
 * Reads a duration, so that all options of a gate are written alike. It may be longer than a timer can wait: see
 * {@link timerDelay}.
 *
 * @returns milliseconds: whole, from 0 to a hundred years; `undefined` for anything else.
 */
export function parseDuration(duration: Duration): number | undefined {
  const milliseconds = typeof duration === "number" ? duration : parseText(duration);
  return Number.isInteger(milliseconds) && milliseconds >= 0 && milliseconds <= longest ? milliseconds : undefined;
}

/**
 * The delay to set a timer or a socket's timeout to: of a longer time the longest that they can wait, some 24 days. Node
 * would fire at once.
 *
 * @param milliseconds From {@link parseDuration}, or a sum of such.
 */
export function timerDelay(milliseconds: number): number {
  return Math.min(milliseconds, longestDelay);
}

function parseText(text: string): number {
  const [, amount, unit = ""] = durationPattern.exec(text) ?? [];
  return Math.round(Number(amount) * (units[unit] ?? Number.NaN));
}

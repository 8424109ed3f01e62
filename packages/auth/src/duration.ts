/** A duration in options: whole milliseconds, or text such as `500ms`, `30s`, `15m`, `1.5h`, `30d`. */
export type Duration = number | string;

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A hundred years. A longer value is taken for a mistake. */
const longest = 36_525 * 86_400_000;

/** The longest delay of `setTimeout`; Node replaces a longer one by one millisecond. */
const longestDelay = 2 ** 31 - 1;

/** The syntax of a duration as text, for JSON Schema. */
export const durationPattern: RegExp = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;

/**
 * Parses a duration. The result may be longer than a timer can wait: see {@link timerDelay}.
 *
 * @returns whole milliseconds from 0 to a hundred years; `undefined` for anything else.
 */
export function parseDuration(duration: Duration): number | undefined {
  const milliseconds = typeof duration === "number" ? duration : parseText(duration);
  return Number.isInteger(milliseconds) && milliseconds >= 0 && milliseconds <= longest ? milliseconds : undefined;
}

/**
 * Limits a delay to the longest one that a timer or socket timeout supports, about 24 days. Node would fire at once for
 * a longer one.
 *
 * @param milliseconds From {@link parseDuration}, or a sum of such values.
 */
export function timerDelay(milliseconds: number): number {
  return Math.min(milliseconds, longestDelay);
}

function parseText(text: string): number {
  const [, amount, unit = ""] = durationPattern.exec(text) ?? [];
  return Math.round(Number(amount) * (units[unit] ?? Number.NaN));
}

const pattern = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/;
const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The longest time that a timer can be set to. */
const longest = 2 ** 31 - 1;

/** The form of a duration, for JSON Schema. */
export const durationPattern: RegExp = pattern;

/**
 * Reads a duration such as `500ms`, `30s`, `15m` or `1.5h`.
 *
 * @returns milliseconds, whole and above zero; `undefined` for anything else, and for what no timer can wait.
 */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = pattern.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  const milliseconds = Math.round(Number(amount) * (units[unit] ?? Number.NaN));
  return milliseconds >= 1 && milliseconds <= longest ? milliseconds : undefined;
}

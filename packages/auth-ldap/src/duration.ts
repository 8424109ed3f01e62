/** A time: whole milliseconds, or a text such as `500ms`, `5s`, `1.5m`. */
export type Duration = number | string;

const PATTERN = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** The longest time that a timer can be set to. */
const LONGEST = 2 ** 31 - 1;

/** @returns milliseconds, whole and above zero; `undefined` for what is no duration. */
export function parseDuration(duration: Duration): number | undefined {
  const milliseconds = typeof duration === "number" ? duration : parseText(duration);
  return Number.isInteger(milliseconds) && milliseconds >= 1 && milliseconds <= LONGEST ? milliseconds : undefined;
}

function parseText(text: string): number {
  const [, amount, unit] = PATTERN.exec(text) ?? [];
  return Math.round(Number(amount) * (UNITS[unit ?? ""] ?? Number.NaN));
}

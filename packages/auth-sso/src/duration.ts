/** A time: whole milliseconds, or a text such as `500ms`, `30s`, `10m`, `1.5h`. */
export type Duration = number | string;

const pattern = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/;
const units = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);
/** The longest time that a timer can be set to. */
const longest = 2 ** 31 - 1;

/** @returns milliseconds, whole and not below zero; `undefined` for what is no duration. */
export function parseDuration(duration: Duration): number | undefined {
  const [, amount, unit] = typeof duration === "number" ? [] : (pattern.exec(duration) ?? []);
  const milliseconds =
    typeof duration === "number" ? duration : Math.round(Number(amount) * (units.get(unit ?? "") ?? Number.NaN));
  return Number.isInteger(milliseconds) && milliseconds >= 0 && milliseconds <= longest ? milliseconds : undefined;
}

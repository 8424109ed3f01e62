const units: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** The form of a number of bytes, such as `512B`, `1.5KiB` or `64MiB`, for JSON Schema. */
export const bytesPattern: RegExp = /^(\d{1,9}(?:\.\d{1,3})?)(B|KiB|MiB|GiB)$/;

/** Reads a number of bytes, rounded to a whole one; `undefined` for anything else. */
export function parseBytes(text: string): number | undefined {
  const [, amount, unit = ""] = bytesPattern.exec(text) ?? [];
  const bytes = Math.round(Number(amount) * (units[unit] ?? Number.NaN));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

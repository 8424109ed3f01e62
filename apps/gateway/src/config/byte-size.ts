import { z } from "zod";

const units: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** The form of a number of bytes, such as `512B`, `1.5KiB` or `64MiB`. */
export const bytePattern: RegExp = /^(\d{1,9}(?:\.\d{1,3})?)(B|KiB|MiB|GiB)$/;

/** Reads a number of bytes, rounded to a whole one; `undefined` for anything else. */
export function parseBytes(text: string): number | undefined {
  const [, amount, unit = ""] = bytePattern.exec(text) ?? [];
  const read = Math.round(Number(amount) * (units[unit] ?? Number.NaN));
  return Number.isSafeInteger(read) ? read : undefined;
}

/** A number of bytes, at least `least`. */
export function byteSize(least: number, message: string): z.ZodType<number, string> {
  return z
    .string(message)
    .regex(bytePattern, message)
    .transform((value, context) => {
      const size = parseBytes(value);
      if (size !== undefined && size >= least) return size;
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    });
}

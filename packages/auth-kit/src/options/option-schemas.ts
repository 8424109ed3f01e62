import { z } from "zod";

/** A text that is not empty; `what` goes on after "must be". */
export function textOption(what = "text"): z.ZodString {
  return z.string(`must be ${what}`).min(1, "is empty");
}

/** `true` or `false`. */
export function flagOption(): z.ZodBoolean {
  return z.boolean("must be true or false");
}

/** A whole number between two others, both included. */
export function wholeNumberOption(least: number, most: number): z.ZodType<number> {
  const message = `must be a whole number from ${least} to ${most}`;
  return z.int(message).min(least, message).max(most, message);
}

/** A list of at least one entry; `what` says of what. */
export function listOption<T>(entry: z.ZodType<T>, what: string): z.ZodType<T[]> {
  return z.array(entry, `must be a list of ${what}`).min(1, "must not be empty");
}

/** A function, whose parameters nobody can check. */
export function functionOption<T>(): z.ZodType<T> {
  return z.custom<T>((value) => typeof value === "function", "must be a function");
}

/** An address of HTTP, with or without TLS. */
export function urlOption(): z.ZodType<string> {
  const message = "must be a URL with https:// or http://";
  return z.string(message).refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ""), message);
}

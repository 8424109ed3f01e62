import { durationPattern, parseDuration } from "@registry-gate/auth";
import { durationFault } from "@registry-gate/auth-kit";
import { z } from "zod";

export const text = (): z.ZodString => z.string("must be text").min(1, "must not be empty");

export const list = <T>(item: z.ZodType<T>): z.ZodType<T[]> => z.array(item, "must be a list");

export const trueOrFalse = (): z.ZodBoolean => z.boolean("must be true or false");

export const wholeNumber = (): z.ZodInt => z.int("must be a whole number").min(1, "must be at least 1");

const durationError = { error: ({ input }: { input?: unknown }) => durationFault(input) };

/** In milliseconds. It may be longer than a timer can wait: whatever sets one asks `timerDelay`. */
export const duration = (): z.ZodType<number, string> => durationFrom(1, "must be more than 0 and at most 36525d");

/** The same, or `0s` for what is off. */
export const durationOrZero = (): z.ZodType<number, string> => durationFrom(0, "must be at most 36525d");

function durationFrom(least: number, message: string): z.ZodType<number, string> {
  return z
    .string(durationError)
    .regex(durationPattern, durationError)
    .transform((value, context) => {
      const milliseconds = parseDuration(value);
      if (milliseconds !== undefined && milliseconds >= least) return milliseconds;
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    });
}

import { durationPattern, parseDuration } from "@registry-gate/auth";
import { durationFault } from "@registry-gate/auth-kit";
import { z } from "zod";

export const text = (): z.ZodString => z.string("must be text").min(1, "must not be empty");

export const list = <T>(item: z.ZodType<T>): z.ZodType<T[]> => z.array(item, "must be a list");

export const trueOrFalse = (): z.ZodBoolean => z.boolean("must be true or false");

export const wholeNumber = (): z.ZodInt => z.int("must be a whole number").min(1, "must be at least 1");

const durationError = { error: ({ input }: { input?: unknown }) => durationFault(input) };

/** In milliseconds. It may be longer than a timer can wait: whatever sets one asks `timerDelay`. */
export const duration = (): z.ZodType<number, string> =>
  z
    .string(durationError)
    .regex(durationPattern, durationError)
    .transform((value, context) => {
      const milliseconds = parseDuration(value);
      if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
      context.addIssue({ code: "custom", message: "must be more than 0 and at most 36525d" });
      return z.NEVER;
    });

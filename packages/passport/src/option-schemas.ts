import { type Credentials, type Duration, parseDuration } from "@registry-gate/auth";
import { durationFault } from "@registry-gate/auth-kit";
import { z } from "zod";
import type { FormFields } from "./strategy-request.ts";

/** A text that is not empty. */
export function text(what: string): z.ZodString {
  return z.string("must be text").min(1, "is empty").describe(what);
}

export function aFunction<T>(): z.ZodType<T> {
  return z.custom<T>((value) => typeof value === "function", "must be a function");
}

export const formFields: z.ZodType<FormFields> = z.strictObject(
  {
    username: text("username by default").exactOptional(),
    password: text("password by default").exactOptional(),
  },
  "must hold username or password",
);

export const schemes: z.ZodType<Credentials["scheme"][]> = z
  .array(z.enum(["basic", "bearer"], "must be basic or bearer"), "must be a list of basic and bearer")
  .min(1, "must not be empty");

const durationError = { error: ({ input }: { input?: unknown }) => durationFault(input) };

export const timeout: z.ZodType<Duration> = z
  .union([z.int(), z.string()], durationError)
  .refine((value) => (parseDuration(value) ?? 0) > 0, durationError);

export const maxCredentialBytes: z.ZodType<number> = z
  .int("must be a whole number from 1 to 32768")
  .min(1, "must be a whole number from 1 to 32768")
  .max(32_768, "must be a whole number from 1 to 32768");

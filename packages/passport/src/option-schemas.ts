import type { Credentials } from "@registry-gate/auth";
import { textOption, wholeNumberOption } from "@registry-gate/auth-kit";
import { z } from "zod";
import type { FormFields } from "./strategy-request.ts";

/** A text that is not empty, described for editors. */
export function text(what: string): z.ZodString {
  return textOption().describe(what);
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

export const maxCredentialBytes: z.ZodType<number> = wholeNumberOption(1, 32_768);

import { z } from "zod";

/** How a user's name is written: as it comes, or in lower case. */
export type UsernameCase = "keep" | "lower";

/** The schema of the option. */
export function usernameCaseOption(): z.ZodType<UsernameCase> {
  return z
    .enum(["keep", "lower"], "must be keep or lower")
    .describe("How the user's name is written: as it comes, or in lower case; keep by default");
}

/** Names that differ in case alone are one where they are written in lower case. */
export function inCase(name: string, usernameCase: UsernameCase = "keep"): string {
  return usernameCase === "lower" ? name.toLowerCase().normalize("NFC") : name;
}

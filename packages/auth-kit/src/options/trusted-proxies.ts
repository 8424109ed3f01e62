import { z } from "zod";
import { addressFault } from "../network/address-set.ts";

/** The schema of an option that lists proxies: the entries of an `addressSet`. */
export function trustedProxiesOption(): z.ZodType<string[]> {
  const entry = z.string("must be text").superRefine((text, context) => {
    const message = addressFault(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });
  return z.array(entry, "must be a list");
}

import { textOption } from "@registry-gate/auth-kit";
import type { z } from "zod";

/** What stands between two groups. */
export function separator(): z.ZodType<string> {
  const punctuation = /^(?:none|json|[^A-Za-z0-9\u0000-\u001f\u007f-\uffff]{1,4})$/;
  return textOption("a separator").regex(punctuation, "must be none, json, or punctuation such as ,");
}

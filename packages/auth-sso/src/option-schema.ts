import { z } from "zod";

/** A text that is not empty; `what` goes on after "must be". */
export function text(what: string): z.ZodString {
  return z.string(`must be ${what}`).min(1, "is empty");
}

export function flag(): z.ZodBoolean {
  return z.boolean("must be true or false");
}

/** A list of at least one entry. */
export function listOf<T>(entry: z.ZodType<T>, what: string): z.ZodType<readonly T[]> {
  return z.array(entry, `must be a list of ${what}`).min(1, "must not be empty");
}

/** Headers that mean something to HTTP itself, or to the gate. */
const reserved = new Set([
  ...["authorization", "connection", "content-length", "content-type", "cookie", "expect", "forwarded", "host"],
  ...["keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"],
  ...["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"],
]);

/** The name of a request header. */
export function headerName(): z.ZodType<string> {
  return text("the name of a header")
    .regex(/^[A-Za-z0-9_-]+$/, "must be the name of a header: letters, digits, - and _")
    .refine((name) => !reserved.has(name.toLowerCase()), "has a meaning of its own and cannot carry an identity");
}

/** What stands between two groups. */
export function separator(): z.ZodType<string> {
  const punctuation = /^(?:none|json|[^A-Za-z0-9\u0000-\u001f\u007f-\uffff]{1,4})$/;
  return text("a separator").regex(punctuation, "must be none, json, or punctuation such as ,");
}

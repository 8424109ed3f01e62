import type { z } from "zod";
import { textOption } from "./option-schemas.ts";

/** The names of RFC 9110, section 5.6.2. */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** Headers that mean something to HTTP itself, or to the gate. */
const RESERVED: ReadonlySet<string> = new Set([
  ...["authorization", "connection", "content-length", "content-type", "cookie", "expect", "forwarded", "host"],
  ...["keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"],
  ...["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"],
]);

/** Whether a value is the name of a header that a backend may read beside `Authorization`, as `credentialHeaders` has it. */
export function isCredentialHeader(name: unknown): name is string {
  return typeof name === "string" && TOKEN.test(name) && name === name.toLowerCase() && name !== "authorization";
}

/** The name of a header that a strategy or a program reads beside `Authorization`, in any case. */
export function credentialHeaderOption(): z.ZodString {
  return textOption("the name of a header")
    .regex(TOKEN, "must be the name of a header")
    .refine((name) => name.toLowerCase() !== "authorization", "is already read, as credentials");
}

/** The name of a header in which somebody in front says who the user is. */
export function identityHeaderOption(): z.ZodString {
  return textOption("the name of a header")
    .regex(/^[A-Za-z0-9_-]+$/, "must be the name of a header: letters, digits, - and _")
    .refine((name) => !RESERVED.has(name.toLowerCase()), "has a meaning of its own and cannot carry an identity");
}

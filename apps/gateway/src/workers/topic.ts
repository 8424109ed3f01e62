import { z } from "zod";

/** What can be asked over a {@link Channel}: a name, and the forms of the question and of the reply, in plain JSON. */
export interface Topic<Request, Reply> {
  /** Unique in the gateway, such as `reload/prepare`. */
  readonly name: string;
  readonly request: z.ZodType<Request>;
  readonly reply: z.ZodType<Reply>;
}

/** Defines a topic. Both ends name the same constant. */
export function topic<Request, Reply>(
  name: string,
  request: z.ZodType<Request>,
  reply: z.ZodType<Reply>,
): Topic<Request, Reply> {
  return { name, request, reply };
}

/** The form of a question or a reply that says nothing but that it came. */
export const nothing: z.ZodType<null> = z.null();

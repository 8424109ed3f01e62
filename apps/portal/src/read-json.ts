import type { z } from "@registry-gate/auth-kit";

/** Reads JSON of this shape; `undefined` for any other text. */
export function readJson<Value>(schema: z.ZodType<Value>, text: string): Value | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

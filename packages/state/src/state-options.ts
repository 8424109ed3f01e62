import { textOption } from "@registry-gate/auth-kit";
import { z } from "zod";
import { redisUrlSchema } from "./redis/redis-url.ts";

/** Where state is kept: in a SQLite file of this machine, or in a Redis that several machines share. */
export type StateOptions = { readonly file: string } | { readonly redis: string };

const form = "must hold file (a path) or redis (a URL), one of them and nothing else";

/** The schema of {@link StateOptions}, whoever writes them. */
export const stateOptionsSchema: z.ZodType<StateOptions> = z
  .strictObject(
    {
      file: textOption("a path").describe("A SQLite file, made with mode 0600 if it is absent").exactOptional(),
      redis: redisUrlSchema
        .describe("A Redis or Valkey: redis://[user:password@]host[:port][/database], or rediss:// for TLS")
        .exactOptional(),
    },
    form,
  )
  .transform(({ file, redis }, context) => {
    if (file !== undefined && redis === undefined) return { file };
    if (redis !== undefined && file === undefined) return { redis };
    context.addIssue({ code: "custom", message: form });
    return z.NEVER;
  });

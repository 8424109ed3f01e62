import type { LimitOptions } from "@registry-gate/core";
import { z } from "zod";
import { bytePattern, parseBytes } from "../byte-size.ts";
import type { Section } from "../section.ts";
import { wholeNumber } from "../value-schemas.ts";

export interface LimitsConfiguration extends LimitOptions {
  /** How many connections one IPv4 address, or one IPv6 network of 64 bits, may have. */
  readonly connectionsPerAddress?: number;
}

const perSecond = "must be a rate such as 1KiB/s, or 0";
/** Bytes a second; 0 for no limit. */
const byteRate = (): z.ZodType<number, string | 0> =>
  z.union(
    [
      z.literal(0),
      z
        .string(perSecond)
        .regex(new RegExp(`^0$|${bytePattern.source.slice(0, -1)}/s$`), perSecond)
        .transform((value, context) => {
          const rate = value === "0" ? 0 : parseBytes(value.slice(0, -"/s".length));
          if (rate !== undefined) return rate;
          context.addIssue({ code: "custom", message: perSecond });
          return z.NEVER;
        }),
    ],
    perSecond,
  );

export const limitsSection: Section<LimitsConfiguration> = {
  schema: z.strictObject(
    {
      inFlight: wholeNumber()
        .describe("How many requests are in progress at once, in all; 10000 by default")
        .exactOptional(),
      inFlightPerClient: wholeNumber()
        .describe("How many of one user, or of one address without a user; 256 by default")
        .exactOptional(),
      minRate: byteRate()
        .describe("The least that a client must send or take, over a minute; 1KiB/s by default, 0 for no limit")
        .exactOptional(),
      connectionsPerAddress: wholeNumber()
        .describe("How many connections one IPv4 address or IPv6 network of 64 bits may have; 1024 by default")
        .exactOptional(),
    },
    "must hold inFlight, inFlightPerClient, minRate or connectionsPerAddress",
  ),
};

/** The option of the middleware: what limits requests. */
export function limitOptions({ connectionsPerAddress: _, ...requests }: LimitsConfiguration = {}): LimitOptions {
  return requests;
}

/** What this section limits at the listener: connections. */
export function connectionLimits({ connectionsPerAddress = 1024 }: LimitsConfiguration = {}): {
  readonly connectionsPerAddress: number;
} {
  return { connectionsPerAddress };
}

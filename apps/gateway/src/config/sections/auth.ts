import { durationPattern } from "@registry-gate/auth";
import {
  basicChallenge,
  type CounterStore,
  type LoginCacheOptions,
  type MakeChallenge,
  type RegistryProxyOptions,
  type ThrottleOptions,
} from "@registry-gate/core";
import { z } from "zod";
import type { Section } from "../section.ts";
import { duration, text, wholeNumber } from "../value-schemas.ts";

export interface AuthConfiguration {
  readonly realm?: string;
  readonly challenge?: "basic";
  readonly backends: readonly BackendConfiguration[];
  readonly cache?: LoginCacheOptions | false;
  readonly throttle?: ThrottleConfiguration | false;
}

/** The options of a backend stand beside its type; its plugin judges them. */
export interface BackendConfiguration {
  /** A built-in backend, or the name of a package. */
  readonly type: string;
  readonly id?: string;
  readonly [option: string]: unknown;
}

type ThrottleConfiguration = Omit<ThrottleOptions, "store">;

const backend: z.ZodType<BackendConfiguration> = z.looseObject(
  {
    type: text().describe("A built-in backend, or the name of a package"),
    id: text().describe("The name in the log; the type by default").exactOptional(),
  },
  "must be a backend with a type and its options",
);

const cache: z.ZodType<LoginCacheOptions | false> = z.union(
  [
    z.literal(false),
    z.strictObject({
      ttl: duration().describe("How long a checked login holds; 60s by default").exactOptional(),
      maxEntries: wholeNumber().describe("How many are held; 10000 by default").exactOptional(),
    }),
  ],
  "must be false, or hold ttl (a duration) and maxEntries (a whole number) and nothing else",
);

const time = durationPattern.source.replace(/^\^|\$$/g, "");
const limit = (): z.ZodString =>
  text().regex(new RegExp(`^[1-9]\\d{0,8}/${time}$`), "must be a number of failures within a time, such as 10/5m");

const throttle: z.ZodType<ThrottleConfiguration | false> = z.union(
  [
    z.literal(false),
    z.strictObject({
      perAddress: limit()
        .describe("How many logins from one address may fail within a time; 100/1m by default")
        .exactOptional(),
      perUserAndAddress: limit()
        .describe("How many logins of one user from one address may fail within a time; 10/5m by default")
        .exactOptional(),
      backoff: text()
        .regex(new RegExp(`^${time}\\.\\.${time}$`), "must be a shortest and a longest time, such as 1s..15m")
        .describe("The pause after a failure beyond these, at first and at most; 1s..15m by default")
        .exactOptional(),
      ipv6Prefix: z
        .int("must be a whole number from 1 to 128")
        .min(1, "must be a whole number from 1 to 128")
        .max(128, "must be a whole number from 1 to 128")
        .describe("How many bits of an IPv6 address are one client; 64 by default")
        .exactOptional(),
    }),
  ],
  "must be false, or hold perAddress, perUserAndAddress, backoff and ipv6Prefix and nothing else",
);

const schema: z.ZodType<AuthConfiguration> = z.strictObject(
  {
    realm: text().describe("The realm of the Basic challenge; Registry realm by default").exactOptional(),
    challenge: z.literal("basic", "must be basic").exactOptional(),
    backends: z.array(backend, "must be a list").min(1, "must name at least one backend"),
    cache: cache.exactOptional(),
    throttle: throttle.describe("How failed logins are limited; false for no limit").exactOptional(),
  },
  "must hold backends",
);

export const authSection: Section<AuthConfiguration> = {
  schema,
  substitutes: [
    { path: ["backends", "*"], value: { type: "nothing" } },
    { path: ["backends"], value: [{ type: "nothing" }] },
    { path: [], value: { backends: [{ type: "nothing" }] } },
  ],
  optionKeys: {
    realm: "realm",
    challenge: "challenge",
    loginCache: "cache",
    throttle: "throttle",
    backends: "backends",
  },
};

/**
 * Options of the middleware, but for the backends, which have to be opened.
 *
 * @param store Where failed logins are counted. Default: anew.
 */
export function authOptions(
  { realm, challenge, cache, throttle }: AuthConfiguration,
  store: CounterStore | undefined,
): Pick<RegistryProxyOptions, "realm" | "challenge" | "loginCache" | "throttle"> {
  return {
    ...(realm !== undefined && { realm }),
    challenge: makeChallenge(challenge, realm),
    ...(cache !== undefined && { loginCache: cache }),
    throttle: throttle === false ? false : { ...throttle, ...(store && { store }) },
  };
}

/** What a 401 of the gate asks for. */
function makeChallenge(kind: AuthConfiguration["challenge"] = "basic", realm = "Registry realm"): MakeChallenge {
  switch (kind) {
    case "basic":
      return basicChallenge(realm);
  }
}

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
import { duration, durationOrZero, text, wholeNumber } from "../value-schemas.ts";
import type { AccessConfiguration } from "./access.ts";

export interface AuthConfiguration {
  readonly realm?: string;
  /** How clients are asked to sign in. `auto`, the default: as {@link challengeOf} says. */
  readonly challenge?: "auto" | "bearer" | "basic";
  readonly token?: TokenConfiguration;
  readonly backends: readonly BackendConfiguration[];
  readonly cache?: LoginCacheOptions | false;
  readonly throttle?: ThrottleConfiguration | false;
}

/** Tokens of the Docker token protocol. Times in milliseconds. */
export interface TokenConfiguration {
  readonly ttl?: number;
  readonly refreshTtl?: number;
  readonly uploadGrace?: number;
  readonly realm?: string;
  readonly service?: string;
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

const token: z.ZodType<TokenConfiguration> = z.strictObject(
  {
    ttl: duration()
      .refine((milliseconds) => milliseconds >= 1000, "must be at least 1s")
      .describe("How long a token holds; 5m by default")
      .exactOptional(),
    refreshTtl: durationOrZero()
      .describe("How long a login without a password holds after its last use; 30d by default; 0s: there are none")
      .exactOptional(),
    uploadGrace: durationOrZero()
      .describe("How long an upload may go on after its token has expired; 1h by default")
      .exactOptional(),
    realm: text()
      .refine(
        (value) => /^https?:$/.test(URL.parse(value)?.protocol ?? ""),
        "must be a URL such as https://registry.example.com/v2/auth",
      )
      .describe("The URL of the token endpoint; /v2/auth at the client's own host by default")
      .exactOptional(),
    service: text()
      .regex(/^[\u0021-\u007e]+$/, "must be printable ASCII without spaces")
      .describe("What the registry is called in tokens; the client's own host by default")
      .exactOptional(),
  },
  "must hold ttl, refreshTtl, uploadGrace, realm or service",
);

const schema: z.ZodType<AuthConfiguration> = z.strictObject(
  {
    realm: text().describe("The realm of the Basic challenge; Registry realm by default").exactOptional(),
    challenge: z
      .literal(["auto", "bearer", "basic"], "must be auto, bearer or basic")
      .describe("How clients are asked to sign in; auto by default: bearer where a rule names anonymous")
      .exactOptional(),
    token: token.describe("Tokens of the Docker token protocol").exactOptional(),
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
 * How clients are asked to sign in. By Basic, as nginx does it, unless something needs a token: docker takes Basic as a demand
 * to log in first, and pulls nothing without a login.
 */
export function challengeOf(auth: AuthConfiguration, access: AccessConfiguration = []): "bearer" | "basic" {
  const { challenge = "auto", backends } = auth;
  if (challenge !== "auto") return challenge;
  const allowsAnonymous = access.some(({ effect, subjects }) => effect !== "deny" && subjects.includes("anonymous"));
  return allowsAnonymous || backends.some(({ type }) => type === "access-token") ? "bearer" : "basic";
}

/**
 * Options of the middleware, but for the backends, which have to be opened.
 *
 * @param store Where failed logins are counted. Default: anew.
 * @param challenge What a 401 asks for. Default: Basic.
 */
export function authOptions(
  { realm = "Registry realm", cache, throttle }: AuthConfiguration,
  store: CounterStore | undefined,
  challenge: MakeChallenge = basicChallenge(realm),
): Pick<RegistryProxyOptions, "realm" | "challenge" | "loginCache" | "throttle"> {
  return {
    realm,
    challenge,
    ...(cache !== undefined && { loginCache: cache }),
    throttle: throttle === false ? false : { ...throttle, ...(store && { store }) },
  };
}

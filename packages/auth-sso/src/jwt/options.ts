import { isAbsolute } from "node:path";
import type { Duration } from "@registry-gate/auth";
import {
  durationOption,
  flagOption,
  identityHeaderOption,
  listOption,
  parseOptions,
  textOption,
  wholeNumberOption,
} from "@registry-gate/auth-kit";
import { z } from "zod";
import { separator } from "../option-schema.ts";
import { type UsernameCase, usernameCaseOption } from "../username-case.ts";
import { type JwtPreset, jwtPresetNames } from "./preset-names.ts";

export const jwtAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

/** An algorithm of public keys (RFC 7518, section 3.1; RFC 8037; RFC 9864). There are none of shared secrets. */
export type JwtAlgorithm = (typeof jwtAlgorithms)[number];

/** The options of {@link ssoJwtBackend}. */
export interface SsoJwtOptions {
  /** A product whose tokens are known; the options below override what it says. */
  readonly preset?: JwtPreset;
  /** The request header that holds a token. Default: none. */
  readonly header?: string;
  /** Whether a token in `Authorization: Bearer` counts. Default `true`. */
  readonly bearer?: boolean;
  /** Whether a token counts as the password of a Basic login. Default `true`. */
  readonly basic?: boolean;
  /** The user names that such a login may have, besides the token's own. Default `oauth2`. */
  readonly basicUsernames?: readonly string[];
  /**
   * The issuer's public keys (RFC 7517): a URL with `https://`, or with `http://` on the loopback interface, or a file.
   * The file is followed, and relative to the base directory of the context. Without this and `keyUrl`, what the issuer's
   * own `/.well-known/openid-configuration` names.
   */
  readonly jwks?: string;
  /** A URL with `{kid}` in it, where each public key stands by itself as PEM. */
  readonly keyUrl?: string;
  /** Certificates to trust in place of the system's, as a PEM file, for `jwks` and `keyUrl`. */
  readonly caCert?: string;
  /**
   * The proxy through which keys are fetched: its URL, perhaps with a login; `false`: none. Default: that of the environment
   * variables `HTTPS_PROXY` and `NO_PROXY`.
   */
  readonly proxy?: string | false;
  /** For how long fetched keys are used without asking again. Default `10m`. */
  readonly jwksMaxAge?: Duration;
  /** The least time between two fetches, however many unknown keys are named. Default `30s`. */
  readonly jwksCooldown?: Duration;
  /** For how long fetched keys are used while fetching fails. Default `4h`. */
  readonly jwksKeepFor?: Duration;
  /** How long a fetch may take. Default `5s`. */
  readonly jwksTimeout?: Duration;
  /** The only algorithms that count. Default `RS256`, `ES256` and `EdDSA`. */
  readonly algorithms?: readonly JwtAlgorithm[];
  /** What the claim `iss` must be. Required. */
  readonly issuer?: string;
  /** What the claim `aud` must be or hold: one of these. Required. */
  readonly audience?: string | readonly string[];
  /** What the header parameter `typ` must be. Default: it is missing, `JWT` or `at+jwt`. */
  readonly typ?: string;
  /** The ARN of the load balancer that signs, for the preset `aws-alb`. */
  readonly signer?: string;
  /** How far clocks may be apart, at most 60 s. Default `30s`. */
  readonly leeway?: Duration;
  /** The longest token, in bytes. Default 16,384: one with 200 groups, as much as Entra ID writes, has some 12,000. */
  readonly maxTokenBytes?: number;
  /** The claim that becomes the user's name: a path such as `a.b`, or its parts in a list. Default `sub`. */
  readonly usernameClaim?: string | readonly string[];
  /** Written before the name, so that it can be nobody else's. */
  readonly usernamePrefix?: string;
  /** How the name is written: as it comes, or in lower case, as names of repositories are. Default `keep`. */
  readonly usernameCase?: UsernameCase;
  /** The claim that holds the groups: a list of texts, or one text. Default: nobody is in a group. */
  readonly groupsClaim?: string | readonly string[];
  /** As for `sso-header`, where the claim is one text. Default `none`. */
  readonly groupsSeparator?: string;
  /** Groups that everybody is in whom this backend knows. */
  readonly extraGroups?: readonly string[];
  /**
   * Claims that must be there, by their path, and what each must be: one of these texts, in which `*` stands for
   * anything but `/`, and `**` for anything.
   */
  readonly requiredClaims?: Readonly<Record<string, string | readonly string[]>>;
}

const path = () =>
  z.union(
    [textOption("a claim"), listOption(textOption("the name of a claim"), "names")],
    "must be a claim, or a list of its parts",
  );
const texts = (what: string) =>
  z.union([textOption(what), listOption(textOption(what), "texts")], `must be ${what}, or a list of them`);
const duration = (what: string) =>
  durationOption(what, z.union([z.number(), z.string()], "must be a duration such as 30s")).exactOptional();

const shape = {
  preset: z
    .enum(jwtPresetNames, `must be one of ${jwtPresetNames.join(", ")}`)
    .describe("A product whose tokens are known")
    .exactOptional(),
  header: identityHeaderOption().describe("The request header that holds a token").exactOptional(),
  bearer: flagOption().describe("Whether a token in Authorization: Bearer counts").exactOptional(),
  basic: flagOption().describe("Whether a token counts as the password of a Basic login").exactOptional(),
  basicUsernames: z
    .array(textOption("a user name"), "must be a list of user names")
    .describe("The user names that such a login may have, besides the token's own")
    .exactOptional(),
  jwks: textOption("a URL or a file")
    .describe("The issuer's public keys: a URL, or a file; by default what the issuer's own configuration names")
    .exactOptional(),
  keyUrl: textOption("a URL").describe("A URL with {kid} in it, where each public key stands as PEM").exactOptional(),
  caCert: textOption("a path").describe("Certificates to trust in place of the system's").exactOptional(),
  proxy: z
    .union([z.literal(false), textOption("the URL of a proxy")], "must be the URL of a proxy, or false")
    .describe("The proxy through which keys are fetched; false: none; that of HTTPS_PROXY and NO_PROXY by default")
    .exactOptional(),
  jwksMaxAge: duration("For how long fetched keys are used without asking again"),
  jwksCooldown: duration("The least time between two fetches"),
  jwksKeepFor: duration("For how long fetched keys are used while fetching fails"),
  jwksTimeout: duration("How long a fetch may take"),
  algorithms: listOption(z.enum(jwtAlgorithms, `must be one of ${jwtAlgorithms.join(", ")}`), "algorithms")
    .describe("The only algorithms that count")
    .exactOptional(),
  issuer: textOption("an issuer").describe("What the claim iss must be").exactOptional(),
  audience: texts("an audience").describe("What the claim aud must be or hold").exactOptional(),
  typ: textOption("a type").describe("What the header parameter typ must be").exactOptional(),
  signer: textOption("an ARN").describe("The ARN of the load balancer that signs").exactOptional(),
  leeway: duration("How far clocks may be apart"),
  maxTokenBytes: wholeNumberOption(256, 32_768).describe("The longest token").exactOptional(),
  usernameClaim: path().describe("The claim that becomes the user's name").exactOptional(),
  usernamePrefix: textOption("a text").describe("Written before the name").exactOptional(),
  usernameCase: usernameCaseOption().exactOptional(),
  groupsClaim: path().describe("The claim that holds the groups").exactOptional(),
  groupsSeparator: separator().describe("What stands between two groups, where the claim is one text").exactOptional(),
  extraGroups: z
    .array(textOption("a group"), "must be a list of groups")
    .describe("Groups that everybody is in whom this backend knows")
    .exactOptional(),
  requiredClaims: z
    .record(z.string(), texts("a text"), "must be claims, with what each must be")
    .describe("Claims that must be there, and what each must be")
    .exactOptional(),
};

/** The options, as plugin and factory check them. */
export const jwtOptions: z.ZodType<SsoJwtOptions> = z.strictObject(shape, "must be an object with issuer and audience");

/** @throws {InvalidOptionsError} with every fault of form. */
export function parseJwtOptions(options: unknown): SsoJwtOptions {
  return parseOptions(jwtOptions, options);
}

/** Whether a location of keys is a URL rather than a path. */
export function isUrl(location: string): boolean {
  return !isAbsolute(location) && /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(location);
}

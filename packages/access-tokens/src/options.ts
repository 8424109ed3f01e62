import { type Duration, parseDuration } from "@registry-gate/auth";
import { durationOption, flagOption, z } from "@registry-gate/auth-kit";

/** Options of {@link accessTokenBackend}: those of a configuration's `type: access-token`. */
export interface AccessTokenOptions extends IssuanceOptions {
  /** How often the owner of a token that is used is looked up again: a token dies with its owner. Default `15m`. */
  readonly recheckOwner?: Duration;
}

/** What tokens may be created. */
export interface IssuanceOptions {
  /** The longest time for which a token can be made. Default `365d`, and none where no expiry is required. */
  readonly maxTtl?: Duration;
  /** Whether whoever creates a token has to say when it expires. Default `true`. */
  readonly requireExpiry?: boolean;
}

const issuanceShape = {
  maxTtl: durationOption("The longest time for which a token can be made; 365d by default").exactOptional(),
  requireExpiry: flagOption()
    .describe("Whether whoever creates a token has to say when it expires; true by default")
    .exactOptional(),
};

export const issuanceSchema: z.ZodType<IssuanceOptions> = z.strictObject(issuanceShape, "must hold options");

export const accessTokenOptions: z.ZodType<AccessTokenOptions> = z.strictObject(
  {
    ...issuanceShape,
    recheckOwner: durationOption(
      "How often the owner of a token that is used is looked up again; 15m by default",
    ).exactOptional(),
  },
  "must hold options",
);

/** {@link IssuanceOptions} with their defaults, in milliseconds. */
export interface Issuance {
  readonly maxTtl: number | undefined;
  readonly requireExpiry: boolean;
}

const day = 86_400_000;

/** @param options Without a fault. */
export function resolveIssuance({ maxTtl, requireExpiry = true }: IssuanceOptions): Issuance {
  const longest = maxTtl === undefined ? undefined : parseDuration(maxTtl);
  return { requireExpiry, maxTtl: longest ?? (requireExpiry ? 365 * day : undefined) };
}

/** @returns milliseconds. */
export function resolveRecheckOwner({ recheckOwner = "15m" }: AccessTokenOptions): number {
  return parseDuration(recheckOwner) ?? 0;
}

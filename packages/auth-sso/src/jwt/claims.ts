import type { Identity } from "@registry-gate/auth";
import { type ReadGroups, readGroups, readName, readText, type TextReading } from "@registry-gate/auth-kit";
import type { JWTPayload } from "jose";
import { separateGroups } from "../separate-groups.ts";
import { inCase, type UsernameCase } from "../username-case.ts";

/** Where a claim stands: the names of objects from the outside in, then its own. */
export type ClaimPath = readonly string[];

/** How the claims of a token become an identity. */
export interface ClaimMapping {
  readonly usernameClaim: ClaimPath;
  readonly usernamePrefix: string;
  /** Of the name with its prefix; `keep` by default. */
  readonly usernameCase?: UsernameCase;
  readonly groupsClaim: ClaimPath | undefined;
  readonly groupsSeparator: string;
  readonly extraGroups: readonly string[];
  readonly requiredClaims: readonly RequiredClaim[];
}

export interface RequiredClaim {
  readonly path: ClaimPath;
  readonly accepts: (value: string) => boolean;
}

/** The identity, or why there is none. */
export type Mapped =
  | {
      readonly identity: Identity;
      /** The reasons for skipping groups, each once. */
      readonly skipped: readonly string[];
      readonly fault?: never;
    }
  | { readonly fault: string };

/** Makes an identity of verified claims. */
export function mapClaims(claims: JWTPayload, mapping: ClaimMapping, backend: string): Mapped {
  for (const { path, accepts } of mapping.requiredClaims) {
    if (!texts(claimAt(claims, path)).some(accepts)) return { fault: `the claim ${path.join(".")} is not as required` };
  }
  const username = readUsername(claims, mapping);
  if (username.fault !== undefined) return username;
  const read = readGroupsClaim(claims, mapping);
  if ("fault" in read) return read;

  const told: Record<string, string> = {};
  for (const claim of ["email", "name"]) {
    const value = claimAt(claims, [claim]);
    const text = typeof value === "string" ? readText(value) : undefined;
    if (text !== undefined && text.fault === undefined) told[claim] = text.text;
  }
  const { sub } = claims;
  const subject = typeof sub === "string" && sub !== "" ? sub : username.text;
  const incomplete = omittedGroups(claims, mapping);
  const identity = {
    ...{ subject, username: username.text, groups: [...new Set([...read.groups, ...mapping.extraGroups])], backend },
    ...(read.ambiguous.length > 0 && { ambiguousGroups: read.ambiguous }),
    ...(incomplete !== undefined && { groupsIncomplete: incomplete }),
    ...(Object.keys(told).length > 0 && { claims: told }),
  };
  return { identity, skipped: read.skipped };
}

function readUsername(claims: JWTPayload, mapping: ClaimMapping): TextReading {
  const { usernameClaim, usernamePrefix, usernameCase } = mapping;
  const where = usernameClaim.join(".");
  const value = claimAt(claims, usernameClaim);
  if (typeof value !== "string") return { fault: `the claim ${where}, which holds the name, is missing` };
  // Whoever may write any address into a profile could otherwise be anybody (OpenID Connect Core, section 5.7).
  // Some issuers write the truth as a text.
  if (where === "email" && String(claims.email_verified) === "false")
    return { fault: "the e-mail address is not verified" };
  const name = readName(value);
  if (name.fault !== undefined) return { fault: `the claim ${where}, which holds the name, ${name.fault}` };
  const prefixed = readName(usernamePrefix + name.text);
  return prefixed.fault === undefined
    ? { text: inCase(prefixed.text, usernameCase) }
    : { fault: `the name with its prefix ${prefixed.fault}` };
}

function readGroupsClaim(
  claims: JWTPayload,
  { groupsClaim, groupsSeparator }: ClaimMapping,
): ReadGroups | { readonly fault: string } {
  const value = groupsClaim === undefined ? [] : (claimAt(claims, groupsClaim) ?? []);
  const single = typeof value === "number" || typeof value === "boolean" ? [value] : undefined;
  const values = typeof value === "string" ? separateGroups(value, groupsSeparator) : (single ?? value);
  if (Array.isArray(values)) return readGroups(values);
  return { fault: `the claim ${groupsClaim?.join(".")}, which holds the groups, is not a list of texts` };
}

/**
 * Why an issuer has left the groups out, which is not the same as that there are none: a claim may stand elsewhere
 * (OpenID Connect Core, section 5.6.2), and Entra ID does so, or sets `hasgroups`, for a user of more than some 200 groups.
 */
function omittedGroups(claims: JWTPayload, { groupsClaim }: ClaimMapping): string | undefined {
  const [name] = groupsClaim ?? [];
  if (name === undefined) return undefined;
  const { hasgroups } = claims;
  const how =
    claimAt(claims, ["_claim_names", name]) !== undefined
      ? "_claim_names"
      : name === "groups" && (hasgroups === true || hasgroups === "true")
        ? "hasgroups"
        : undefined;
  return how === undefined ? undefined : `the issuer left the claim ${name} out of the token (overage: ${how})`;
}

/** The claim at a path, own members only. */
function claimAt(claims: unknown, path: ClaimPath): unknown {
  return path.reduce<unknown>(
    (value, name) =>
      typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
        ? Reflect.get(value, name)
        : undefined,
    claims,
  );
}

function texts(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number" || typeof value === "boolean") return [String(value)];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

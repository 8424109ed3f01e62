import type { Identity } from "@registry-gate/auth";
import { readGroups, readName } from "@registry-gate/auth-kit";

/** Which claims are the user's name and groups. */
export interface ClaimNames {
  readonly usernameClaim: string;
  readonly groupsClaim: string | undefined;
}

/** An identity, or why there is none: a line for the log. */
export type IdentityReading =
  | { readonly identity: Identity; readonly fault?: never }
  | { readonly fault: string; readonly identity?: never };

/**
 * Reads who a provider says has signed in.
 *
 * @param backend The id that the identity is to have.
 */
export function readIdentity(
  claims: Readonly<Record<string, unknown>>,
  { usernameClaim, groupsClaim }: ClaimNames,
  backend: string,
): IdentityReading {
  const { sub } = claims;
  if (typeof sub !== "string" || sub === "") return { fault: "there is no subject" };
  const name = claims[usernameClaim];
  if (typeof name !== "string") return { fault: `there is no claim ${usernameClaim}` };
  // Anybody may have written any address there, which nobody has looked at.
  if (usernameClaim === "email" && claims.email_verified === false) return { fault: "the address is not verified" };
  const username = readName(name);
  if (username.text === undefined) return { fault: `the claim ${usernameClaim} ${username.fault}` };
  const listed = groupsClaim === undefined ? [] : claims[groupsClaim];
  if (listed !== undefined && typeof listed !== "string" && !Array.isArray(listed)) {
    return { fault: `the claim ${groupsClaim} is neither text nor a list` };
  }
  const { groups, ambiguous } = readGroups(listed === undefined ? [] : [listed].flat());
  return {
    identity: {
      ...{ subject: sub, username: username.text, groups, backend },
      ...(ambiguous.length > 0 && { ambiguousGroups: ambiguous }),
    },
  };
}

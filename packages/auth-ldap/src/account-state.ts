import type { PolicyState } from "./protocol/responses.ts";

/** Sub-codes of Active Directory, which are Windows error codes in hexadecimal. */
const STATES: Readonly<Record<string, string>> = {
  "525": "no such user",
  "52e": "wrong password",
  "52f": "the account is restricted",
  "530": "the account may not sign in at this hour",
  "531": "the account may not sign in from this machine",
  "532": "the password has expired",
  "533": "the account is disabled",
  "534": "the account may not sign in this way",
  "568": "the account is in too many groups",
  "701": "the account has expired",
  "773": "the password must be changed",
  "775": "the account is locked",
};

/** No domain controller that could judge the password was within reach of the one that answered. */
const NO_DOMAIN_CONTROLLER = new Set(["51f", "51b", "6ba", "5"]);

/**
 * Reads from the diagnostic message of Active Directory and Samba why a bind was refused.
 *
 * @returns the state of the account; `"unavailable"` where the password was not judged; `undefined` where the message
 * is not theirs.
 */
export function accountStateOfAD(diagnostic: string): string | undefined {
  const code = /\bdata ([0-9a-f]+), v/i.exec(diagnostic)?.[1]?.toLowerCase();
  if (code === undefined) return undefined;
  return NO_DOMAIN_CONTROLLER.has(code) ? "unavailable" : (STATES[code] ?? `refused with sub-code ${code}`);
}

/** What the password policy of OpenLDAP and others says (draft-behera-ldap-password-policy, section 6.2). */
export function accountStateOfPolicy(policy: PolicyState | undefined): string | undefined {
  switch (policy?.error) {
    case 0:
      return "the password has expired";
    case 1:
      return "the account is locked";
    case 2:
      return "the password must be changed";
    default:
      return undefined;
  }
}

import type { Conflicting, Credentials } from "@registry-gate/auth";

/**
 * Refuses a request whose header names one user and whose Basic login names another: which of the two counts would be
 * a matter of taste.
 */
export function disagreement(credentials: Credentials | undefined, username: string): Conflicting | undefined {
  if (credentials?.scheme !== "basic" || credentials.username.normalize("NFC") === username) return undefined;
  return conflicting("the header and the Basic login name two different users");
}

export function conflicting(reason: string): Conflicting {
  return { status: "conflicting", reason };
}

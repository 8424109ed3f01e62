import type { Conflicting, Credentials } from "@registry-gate/auth";
import { inCase, type UsernameCase } from "./username-case.ts";

/**
 * Refuses a request whose header names one user and whose Basic login names another: implementations disagree on which
 * one wins.
 */
export function conflictOf(
  credentials: Credentials | undefined,
  username: string,
  usernameCase?: UsernameCase,
): Conflicting | undefined {
  if (credentials?.scheme !== "basic") return undefined;
  if (inCase(credentials.username.normalize("NFC"), usernameCase) === username) return undefined;
  return conflicting("the header and the Basic login name two different users");
}

export function conflicting(reason: string): Conflicting {
  return { status: "conflicting", reason };
}

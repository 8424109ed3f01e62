import { basic } from "../../support/basic.ts";
import type { Login, UserName } from "../case/fuzz-case.ts";

/** Every user's. */
export function passwordOf(user: string): string {
  return `${user}-password`;
}

/** The value of `Authorization` with which a user logs in. */
export function basicOf(user: UserName): string {
  return basic(user, passwordOf(user)).authorization;
}

export function authorizationOf(login: Login): string {
  switch (login) {
    case "wrong-password":
      return basic("alice", "guessed").authorization;
    case "no-base64":
      return "Basic alice:alice-password";
    case "unknown-scheme":
      return "Digest username=alice";
    default:
      return basicOf(login);
  }
}

import type { IncomingMessage } from "node:http";
import { basicLogin } from "@registry-gate/auth-kit";

/** The maximum length of a logged name, in characters. */
const maxLength = 128;

// Control, format and surrogate characters, and line separators: Unicode categories C*, Zl and Zp.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The user name of a rejected Basic login, safe to log; `undefined` where there is none. */
export function attemptedUsername({ headers: { authorization } }: IncomingMessage): string | undefined {
  const login = authorization === undefined ? undefined : basicLogin(authorization);
  return login === undefined || login.username === "" ? undefined : printableName(login.username);
}

/** An unverified name for the log: truncated, with unprintable characters escaped. */
export function printableName(name: string): string {
  const escaped = name
    .slice(0, maxLength)
    .replace(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return escaped.slice(0, maxLength);
}

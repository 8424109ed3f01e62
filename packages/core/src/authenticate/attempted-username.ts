import type { IncomingMessage } from "node:http";
import { basicLogin } from "@registry-gate/auth-kit";

/** Of a name that somebody tried, in characters. */
const maxLength = 128;

// Controls, separators of lines, and what hides or changes the direction: Unicode, general categories C* and Zl, Zp.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The user name of a Basic login that was not accepted, as a log can show it; `undefined` where there is none. */
export function attemptedUsername({ headers: { authorization } }: IncomingMessage): string | undefined {
  const login = authorization === undefined ? undefined : basicLogin(authorization);
  return login === undefined || login.username === "" ? undefined : printableName(login.username);
}

/** A name that nobody has vouched for: short, and with whatever is unprintable escaped. */
export function printableName(name: string): string {
  const escaped = name
    .slice(0, maxLength)
    .replace(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return escaped.slice(0, maxLength);
}

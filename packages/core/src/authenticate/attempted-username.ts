import type { IncomingMessage } from "node:http";
import { basicLogin } from "@registry-gate/auth-kit";
import { printable } from "../observe/printable.ts";

/** The maximum length of a logged name, in characters. */
const maxLength = 128;

/** The user name of a rejected Basic login, safe to log; `undefined` where there is none. */
export function attemptedUsername({ headers: { authorization } }: IncomingMessage): string | undefined {
  const login = authorization === undefined ? undefined : basicLogin(authorization);
  return login === undefined || login.username === "" ? undefined : printableName(login.username);
}

/** An unverified name for the log: truncated, with unprintable characters escaped. */
export function printableName(name: string): string {
  return printable(name, maxLength);
}

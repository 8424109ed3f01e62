import type { BackendConfiguration } from "../config/sections/auth.ts";
import { idsOf } from "./backends.ts";
import type { RememberingBackend } from "./gate-portal.ts";

/** The backend that remembers the users of a provider; `undefined` where none does. */
export function rememberingBackend(backends: readonly BackendConfiguration[]): RememberingBackend | undefined {
  const index = backends.findIndex(({ type }) => type === "portal-users");
  const id = idsOf(backends)[index];
  if (id === undefined) return undefined;
  const remember = backends[index]?.remember;
  return { id, ...(typeof remember === "string" && { remember }) };
}

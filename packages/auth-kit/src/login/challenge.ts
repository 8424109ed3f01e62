import type { Challenge } from "@registry-gate/auth";

/** Writes a challenge as RFC 9110, section 11.6.1 says: every parameter as a quoted string. */
export function formatChallenge({ scheme, parameters }: Challenge): string {
  const list = Object.entries(parameters).map(([name, value]) => `${name}="${value.replace(/["\\]/g, "\\$&")}"`);
  return `${scheme} ${list.join(",")}`;
}

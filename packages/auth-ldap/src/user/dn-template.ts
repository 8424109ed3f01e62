import { parseDN } from "@registry-gate/auth-kit";

/** Makes the DN of a user from the name that the user has typed. */
export type DNTemplate = (username: string) => string;

const PLACEHOLDER = "{{username}}";

/** @returns what is wrong with the template, where it cannot be used. */
export function parseDNTemplate(text: string): { template: DNTemplate } | { fault: string } {
  if (!text.includes(PLACEHOLDER)) return { fault: `must hold ${PLACEHOLDER}` };
  const template: DNTemplate = (username) => text.replaceAll(PLACEHOLDER, () => escapeAnywhere(username));
  const rdns = parseDN(template("x"))?.length;
  // What has every special character in it must stay within its value.
  const stable = rdns !== undefined && rdns > 0 && parseDN(template(' #,+"\\<>;=x '))?.length === rdns;
  return stable && !text.replaceAll(PLACEHOLDER, "").includes("{{") ? { template } : { fault: "is not a DN" };
}

/** Escapes a value so that it is safe at the beginning, at the end and in the middle (RFC 4514, section 2.4). */
function escapeAnywhere(value: string): string {
  return value.replace(/[\0-\x20\x7f"#+,;<=>\\]/g, (special) => {
    return `\\${special.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

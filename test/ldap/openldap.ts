import type { LdapOptions } from "@registry-gate/auth-ldap";
import type { Slapd } from "../support/slapd.ts";

export const base = "dc=example,dc=org";
export const groupBase = `ou=groups,${base}`;

/** The options for a login by search and bind, with groups by memberOf, which have short names below one base. */
export function openldap(slapd: Slapd): LdapOptions & { readonly searchBase: string } {
  return {
    urls: [slapd.tlsUrl],
    caCert: slapd.authority,
    bindDN: `cn=gate,${base}`,
    bindPassword: "gatepw",
    searchBase: `ou=people,${base}`,
    groups: { searchBase: groupBase },
  };
}

/** Groups as an identity names them, in order: by their names and by their DNs. */
export function bothNames(...names: readonly string[]): string[] {
  return names.flatMap((name) => [name, `cn=${name},${groupBase}`]).sort();
}

/** Gives a user another password, which need not be changed at the next login. */
export async function changePassword(slapd: Slapd, dn: string, password: string): Promise<void> {
  await slapd.modify(`dn: ${dn}\nchangetype: modify\nreplace: userPassword\nuserPassword: ${password}\n`);
  // The overlay ppolicy adds it after a change by the administrator.
  await slapd.modify(`dn: ${dn}\nchangetype: modify\ndelete: pwdReset\n`);
}

/** How often something stands in a log. */
export function count(text: string, pattern: RegExp): number {
  return (text.match(pattern) ?? []).length;
}

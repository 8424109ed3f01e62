import type { Slapd } from "./slapd.ts";

/** The backend that knows the users of a directory by their passwords. */
export function directoryBackend(slapd: Slapd): object {
  return {
    type: "ldap",
    urls: [slapd.tlsUrl],
    caCert: slapd.authority,
    bindDN: "cn=gate,dc=example,dc=org",
    bindPassword: "gatepw",
    searchBase: "ou=people,dc=example,dc=org",
    groups: { searchBase: "ou=groups,dc=example,dc=org", nested: true },
  };
}

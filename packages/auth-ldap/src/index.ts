/**
 * Users and groups from LDAP and Active Directory.
 *
 * @module
 */
export { ldapBackend } from "./backend.ts";
export { canonicalDN } from "./dn/canonical-dn.ts";
export type { GroupOptions, LdapOptions, PoolLimits } from "./options.ts";
export { plugin } from "./plugin.ts";

/**
 * Users and groups from LDAP and Active Directory.
 *
 * @module
 */
export { ldapBackend } from "./backend.ts";
export type { GroupOptions, LdapOptions, PoolLimits } from "./options.ts";
export { plugin } from "./plugin.ts";

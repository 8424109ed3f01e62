/**
 * Users and groups from LDAP and Active Directory.
 *
 * @module
 */
export { ldapBackend } from "./backend.ts";
export {
  type LdapConnection,
  type LdapOperation,
  type LdapQueue,
  ldapConnection,
  ldapOperation,
  ldapQueue,
} from "./observe/channels.ts";
export type { GroupOptions, LdapOptions, PoolLimits } from "./options.ts";
export { plugin } from "./plugin.ts";

import type { Duration } from "@registry-gate/auth";

/**
 * The options of {@link ldapBackend}. Durations are milliseconds, or text such as `500ms` and `5s`. Relative paths
 * are relative to the base directory of the context.
 *
 * @example
 * ```yaml
 * type: ldap
 * urls: [ldaps://ldap1.example.com, ldaps://ldap2.example.com]
 * caCert: ca.pem
 * bindDN: cn=gate,ou=services,dc=example,dc=com
 * bindPasswordFile: /run/secrets/ldap
 * searchBase: ou=people,dc=example,dc=com
 * groups: { searchBase: "ou=groups,dc=example,dc=com", searchFilter: "(member={{dn}})", nested: true }
 * ```
 */
export interface LdapOptions {
  /** `ldaps://host:port` or `ldap://host:port`; the first that works is used. At least one. */
  readonly urls: readonly string[];
  /** Ask for TLS on `ldap://`, and go no further without it. Default `false`. */
  readonly startTLS?: boolean;
  /** Allow passwords to travel in clear text over `ldap://`. Default `false`. */
  readonly allowCleartext?: boolean;
  /** A PEM file of the authorities to trust, in place of those that Node trusts. */
  readonly caCert?: string;
  /** The name that the servers' certificates bear, where it is not the host of the URL. */
  readonly serverName?: string;
  /** A PEM file of a certificate to show to servers that ask for one. */
  readonly clientCert?: string;
  /** A PEM file of its key. */
  readonly clientKey?: string;

  /** The service account: a DN, or with Active Directory also `gate@example.com` or `EXAMPLE\gate`. Without: anonymous. */
  readonly bindDN?: string;
  readonly bindPassword?: string;
  /** A file that holds the password alone; it is followed. */
  readonly bindPasswordFile?: string;

  /** Where users are. Required unless there is a `userDNTemplate`. */
  readonly searchBase?: string;
  /** RFC 4515, with `{{username}}` for what the user typed. Default: `usernameAttribute` equals it. */
  readonly searchFilter?: string;
  /** Default `sub`. */
  readonly searchScope?: "sub" | "one";
  /** Its value is the name that everybody else sees. Default `uid`; with Active Directory `sAMAccountName`. */
  readonly usernameAttribute?: string;
  /**
   * How the name is written that everybody else sees: as the directory has it, or in lower case, as names of repositories
   * are, so that `${username}` can stand for it. Default `keep`.
   */
  readonly usernameCase?: "keep" | "lower";
  /** Makes the DN from the name, `uid={{username}},ou=people,dc=example,dc=com`, instead of searching for it. */
  readonly userDNTemplate?: string;

  /** How groups are found. Default: by the attribute `memberOf`. */
  readonly groups?: GroupOptions;
  /** Only members of this group may sign in: a DN, or a short name where groups have one. */
  readonly requiredGroup?: string;
  /** Defaults for Active Directory. Default `false`. */
  readonly activeDirectory?: boolean;

  /** For one operation. Default 5 s. Who waits for a connection waits as long, and for each URL's `connectTimeout`. */
  readonly timeout?: Duration;
  /** For connecting, TLS included. Default 3 s. */
  readonly connectTimeout?: Duration;
  /** Of each of the two pools: one for the service account, one for signing users in. */
  readonly pool?: PoolLimits;
}

/** Where groups are, and how those of a user are found. */
export interface GroupOptions {
  /** Where groups are; groups elsewhere do not count. Without it groups have no short names, except in Active Directory. */
  readonly searchBase?: string;
  /**
   * RFC 4515, with `{{dn}}` for the DN of the user, and for nested groups of a group, and `{{username}}` for the user's
   * value of `usernameAttribute`. Without it, groups are read from the user's entry.
   */
  readonly searchFilter?: string;
  /** Default `sub`. */
  readonly searchScope?: "sub" | "one";
  /** What a group is called by, besides its DN. Default `cn`; with Active Directory `sAMAccountName`. */
  readonly nameAttribute?: string;
  /** Whether members of a group's groups are members of the group. Default `false`; with Active Directory `true`. */
  readonly nested?: boolean;
  /** The attribute of users that holds the DNs of their groups, where there is no filter. Default `memberOf`. */
  readonly memberOfAttribute?: string;
}

/** Limits of the connections to the directory. */
export interface PoolLimits {
  /** The most connections. Default 8. */
  readonly size?: number;
  /** How long an unused connection is kept. Default 60 s. */
  readonly idle?: Duration;
  /** How many logins may wait for a connection; whoever comes then gets 503. Default 500. */
  readonly maxWaiting?: number;
}

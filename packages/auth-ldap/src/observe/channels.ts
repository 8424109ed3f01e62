import { type Channel, openChannel, type QueueEvent } from "@registry-gate/auth-kit";
import type { DirectoryErrorKind } from "../directory-error.ts";
import type { Operation } from "../protocol/session.ts";

/** Logins that wait for a connection to the directory. */
export type LdapQueue = QueueEvent & {
  /** The id of the backend. */
  readonly backend: string;
  /** The connections of the service account, or those on which users are bound. */
  readonly pool: "service" | "users";
};

/** A connection to a directory server, TLS included. */
export type LdapConnection = {
  /** The id of the backend. */
  readonly backend: string;
  /** Its URL, as the options have it. */
  readonly server: string;
  /** How long it took to open, or to fail; of `closed`, how long it was open. */
  readonly milliseconds: number;
} & ({ readonly event: "opened" | "closed" } | { readonly event: "failed"; readonly reason: DirectoryErrorKind });

/** A bind or a search that is over. Nobody's name is in it, and no filter. */
export type LdapOperation = Operation & {
  /** The id of the backend. */
  readonly backend: string;
  /** The server's URL, as the options have it. */
  readonly server: string;
};

/** Waiting for a connection to the directory. */
export const ldapQueue: Channel<LdapQueue> = openChannel("registry-gate:ldap:queue");
/** Connections to directory servers. */
export const ldapConnection: Channel<LdapConnection> = openChannel("registry-gate:ldap:connection");
/** Binds and searches. */
export const ldapOperation: Channel<LdapOperation> = openChannel("registry-gate:ldap:operation");

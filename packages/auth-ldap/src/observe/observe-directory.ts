import type { Socket } from "node:net";
import type { ObserveQueue } from "@registry-gate/auth-kit";
import { DirectoryError } from "../directory-error.ts";
import type { Operation } from "../protocol/session.ts";
import { type LdapQueue, ldapConnection, ldapOperation, ldapQueue } from "./channels.ts";

/** Publishes what happens between one backend and its directory. */
export interface DirectoryObserver {
  queue(pool: LdapQueue["pool"]): ObserveQueue;
  /** Follows a connection from its opening to its end. */
  connecting(server: string, opening: Promise<Socket>): Promise<Socket>;
  operations(server: string): (build: () => Operation) => void;
}

/** @param backend The id of the backend. */
export function observeDirectory(backend: string): DirectoryObserver {
  return {
    queue: (pool) => (build) => ldapQueue.publish(() => ({ backend, pool, ...build() })),
    async connecting(server, opening) {
      const begun = performance.now();
      const since = (start: number) => ({ backend, server, milliseconds: performance.now() - start });
      try {
        const socket = await opening;
        const opened = performance.now();
        ldapConnection.publish(() => ({ ...since(begun), event: "opened" }));
        socket.once("close", () => ldapConnection.publish(() => ({ ...since(opened), event: "closed" })));
        return socket;
      } catch (error) {
        if (error instanceof DirectoryError) {
          ldapConnection.publish(() => ({ ...since(begun), event: "failed", reason: error.kind }));
        }
        throw error;
      }
    },
    operations: (server) => (build) => ldapOperation.publish(() => ({ backend, server, ...build() })),
  };
}

import { createHash, randomBytes } from "node:crypto";
import type { KnownUser } from "@registry-gate/auth-kit";
import type { PortalState } from "./portal-state.ts";

/**
 * The logins of users, by which all sessions of a user end together: each session knows the login that it belongs to, and
 * counts for as long as that is the one in the state store. What is lost there has ended.
 */
export interface Logins {
  /** @returns the login of a user who signs in now: the one that other sessions of theirs have, or a new one. */
  begin(user: KnownUser): Promise<string>;
  isCurrent(user: KnownUser, login: string): Promise<boolean>;
  /** Ends every session of the user, in every process that shares the state. */
  end(user: KnownUser): Promise<void>;
}

/** @param lifetime The longest that a session can last, in milliseconds. */
export function openLogins(state: PortalState, lifetime: number): Logins {
  return {
    async begin(user) {
      const key = keyOf(user);
      for (let attempt = 0; attempt < 10; attempt++) {
        const created = randomBytes(16).toString("base64url");
        if (await state.add(key, created, lifetime)) return created;
        const current = await state.get(key);
        // It may end at any moment; then the next attempt begins one.
        if (current !== undefined && (await state.extend(key, lifetime))) return current;
      }
      throw new Error("a login ended again and again while it began");
    },
    isCurrent: async (user, login) => (await state.get(keyOf(user))) === login,
    async end(user) {
      await state.delete(keyOf(user));
    },
  };
}

/** A subject may be too long for a key, and hold what no key may. */
function keyOf({ backend, subject }: KnownUser): string {
  return `portal/login/${createHash("sha256")
    .update(JSON.stringify([backend, subject]))
    .digest("base64url")}`;
}

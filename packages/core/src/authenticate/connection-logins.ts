import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Verdict } from "./verdict.ts";
import type { VerifiedCredentials } from "./verified-credentials.ts";

/**
 * Remembers for each connection with which `Authorization` it came last, and under which name the cache of logins has
 * it: a client that repeats its header is spared the parsing and the keyed hash, which cost more than all else that
 * authenticates a cached login. The verdict is looked up in the cache each time, and holds for as long as it is there:
 * until it expires, until a backend reports a change, until the authenticator is closed.
 */
export interface ConnectionLogins {
  /**
   * The cached verdict about a request that repeats the last login of its connection.
   *
   * @param address The client's, behind trusted proxies.
   */
  recall(request: IncomingMessage, address: string | undefined): Verdict | undefined;
  /** @param name That of the cached verdict about the request. */
  remember(request: IncomingMessage, address: string | undefined, name: string): void;
}

interface Login {
  readonly authorization: string;
  readonly address: string | undefined;
  readonly name: string;
}

/** A longer header is looked up in the cache each time. */
const longest = 8192;
const ours = Buffer.allocUnsafeSlow(longest);
const theirs = Buffer.allocUnsafeSlow(longest);

export function connectionLogins(cache: Pick<VerifiedCredentials, "recall">): ConnectionLogins {
  // Emptied with the connection, like the requests on it, whose headers hold the same.
  const logins = new WeakMap<Socket, Login>();
  return {
    recall({ socket, headers, rawHeaders }, address) {
      const last = logins.get(socket);
      if (last === undefined) return undefined;
      // A proxy in front may send the requests of several clients on one connection.
      if (last.address !== address || !isEqual(last.authorization, headers.authorization ?? "")) return undefined;
      // Node keeps the first of duplicates.
      if (!isSingle(rawHeaders)) return undefined;
      const verdict = cache.recall(last.name);
      if (verdict === undefined) logins.delete(socket);
      return verdict;
    },
    remember({ socket, headers: { authorization } }, address, name) {
      if (authorization !== undefined && authorization.length <= longest)
        logins.set(socket, { authorization, address, name });
    },
  };
}

/**
 * Takes as long wherever the first difference is, so that nobody can guess the header of another client part by part. A token
 * has hundreds of characters: Node's own comparison of bytes takes a third of the time of one by one.
 */
function isEqual(one: string, other: string): boolean {
  const { length } = one;
  if (length !== other.length) return false;
  ours.write(one, "latin1");
  theirs.write(other, "latin1");
  // Other characters than those of Latin-1, which an app may have put there, are cut to one byte each.
  return timingSafeEqual(ours.subarray(0, length), theirs.subarray(0, length)) && one === other;
}

/** Whether there are no duplicates of `Authorization`. */
function isSingle(rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (name.length === "authorization".length && name.toLowerCase() === "authorization") count++;
  }
  return count === 1;
}

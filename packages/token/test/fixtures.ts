import type { AuthRequest, Credentials, Identity, Principal, UserPrincipal } from "@registry-gate/auth";
import type { RefreshTokenStore } from "../src/refresh-tokens.ts";

export const aliceIdentity: Identity = {
  subject: "uid=alice,dc=example",
  username: "alice",
  groups: ["dev", "ops"],
  backend: "ldap",
  revision: "revision-of-alice-1",
};

export const alice: UserPrincipal = { kind: "user", identity: aliceIdentity, via: "basic" };
export const nobody: Principal = { kind: "anonymous" };

export function authRequest(credentials?: Credentials): AuthRequest {
  return {
    credentials,
    peer: { address: "127.0.0.1", unixSocket: false },
    client: "127.0.0.1",
    header: () => [],
    signal: new AbortController().signal,
  };
}

export const bearer = (token: string): AuthRequest => authRequest({ scheme: "bearer", token });

/** A store in memory. Its content can be looked into, and it can be made to fail. */
export function memoryStore(): RefreshTokenStore & {
  readonly entries: Map<string, { value: string; ttl: number }>;
  down: boolean;
} {
  const entries = new Map<string, { value: string; ttl: number }>();
  const store = {
    entries,
    down: false,
    async get(key: string) {
      reach();
      return entries.get(key)?.value;
    },
    async add(key: string, value: string, ttl: number) {
      reach();
      if (entries.has(key)) return false;
      entries.set(key, { value, ttl });
      return true;
    },
    async replace(key: string, expected: string, value: string, ttl: number) {
      reach();
      if (entries.get(key)?.value !== expected) return false;
      entries.set(key, { value, ttl });
      return true;
    },
    async delete(key: string) {
      reach();
      return entries.delete(key);
    },
    async list(prefix: string) {
      reach();
      return [...entries].flatMap(([key, { value }]) => (key.startsWith(prefix) ? [{ key, value }] : []));
    },
  };
  const reach = (): void => {
    if (store.down) throw new Error("the store is down");
  };
  return store;
}

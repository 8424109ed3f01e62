import { createHash } from "node:crypto";
import type { SharedState } from "@registry-gate/auth";
import { subscriptions } from "@registry-gate/auth-kit";
import {
  type AccessToken,
  type ListedAccessToken,
  parseRecord,
  parseUse,
  type TokenOwner,
  type TokenUse,
} from "./token-record.ts";

/** A token in the store. */
export interface StoredToken {
  /** The SHA-256 of the token. */
  readonly digest: string;
  readonly record: AccessToken;
}

/** Where access tokens are kept. Whatever the state store throws, it throws. */
export interface TokenStore {
  /**
   * Keeps a new token until it expires.
   *
   * @returns whether it was kept: not where the owner has another token of the name.
   */
  add(token: StoredToken): Promise<boolean>;
  /** @returns `undefined` for a token that was never there, has expired or was removed. */
  find(digest: string): Promise<AccessToken | undefined>;
  /** The tokens of an owner, or of all, in the order of their creation. */
  list(owner?: TokenOwner): Promise<readonly (StoredToken & { readonly record: ListedAccessToken })[]>;
  /** @returns whether it was there. */
  remove(token: StoredToken): Promise<boolean>;
  /** Writes when the token was last used. It never brings back a token that has been removed. */
  recordUse(token: StoredToken, use: TokenUse): Promise<void>;
  /** Calls `listener` when this process has removed a token. */
  onRemoved(listener: (token: StoredToken) => void): () => void;
}

/** How long the last use of a token is kept that never expires, in milliseconds. */
const useTtl = 366 * 86_400_000;

/** The stores of this process: who removes a token by one of a state is heard by all. */
const stores = new WeakMap<SharedState, TokenStore>();

/**
 * Opens the store of access tokens in a state that processes share. For the same state it is the same store.
 *
 * The record of a token stands under its digest: whoever reads the store cannot use what stands there. Last uses stand apart
 * from the records, so that no late write brings a revoked token back.
 */
export function openTokenStore(state: SharedState): TokenStore {
  const known = stores.get(state);
  if (known !== undefined) return known;
  const store = createStore(state);
  stores.set(state, store);
  return store;
}

const recordPrefix = "access-token/record/";
const recordKey = (digest: string): string => `${recordPrefix}${digest}`;
const useKey = (digest: string): string => `access-token/use/${digest}`;
const ownerPrefix = (owner: TokenOwner): string => `access-token/owner/${ownerKey(owner)}/`;
const nameKey = ({ owner, name }: AccessToken): string => `access-token/name/${ownerKey(owner)}/${name}`;

/** What stands under a name while its token is being added: no digest, so that no record is found by it. */
const reservation = (digest: string): string => `reserved/${digest}`;

/** Names an owner: a subject may be too long for a key, and hold what no key may. */
function ownerKey(owner: TokenOwner): string {
  const parts = owner.kind === "user" ? [owner.kind, owner.backend, owner.subject] : [owner.kind, owner.name];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

function createStore(state: SharedState): TokenStore {
  const removed = subscriptions<[StoredToken]>();

  async function find(digest: string): Promise<AccessToken | undefined> {
    const text = await state.get(recordKey(digest));
    if (text === undefined) return undefined;
    const record = parseRecord(text);
    return hasExpired(record) ? undefined : record;
  }

  /** Reserves the name for a token; one that is left of a token that is no more, or is not there yet, is taken over. */
  async function reserveName({ digest, record }: StoredToken, ttl: number | undefined): Promise<boolean> {
    const key = nameKey(record);
    if (await state.add(key, reservation(digest), ttl)) return true;
    const holder = await state.get(key);
    if (holder === undefined) return state.add(key, reservation(digest), ttl);
    if ((await find(holder)) !== undefined) return false;
    return state.replace(key, holder, reservation(digest), ttl);
  }

  async function forget({ digest, record }: StoredToken): Promise<boolean> {
    // The record first: from then on the token is worth nothing, whatever else fails.
    const was = await state.delete(recordKey(digest));
    await state.delete(`${ownerPrefix(record.owner)}${digest}`);
    await state.delete(useKey(digest));
    const key = nameKey(record);
    const holder = await state.get(key);
    if (holder === digest || holder === reservation(digest)) await state.delete(key);
    return was;
  }

  async function withUse(stored: StoredToken): Promise<StoredToken & { readonly record: ListedAccessToken }> {
    const text = await state.get(useKey(stored.digest));
    return text === undefined ? stored : { ...stored, record: { ...stored.record, lastUsed: parseUse(text) } };
  }

  async function digestsOf(owner: TokenOwner): Promise<readonly string[]> {
    const prefix = ownerPrefix(owner);
    return (await state.list(prefix)).map(({ key }) => key.slice(prefix.length));
  }

  async function allDigests(): Promise<readonly string[]> {
    return (await state.list(recordPrefix)).map(({ key }) => key.slice(recordPrefix.length));
  }

  return {
    async add(token) {
      const { digest, record } = token;
      const ttl = remaining(record);
      if (!(await reserveName(token, ttl))) return false;
      // Before the record: a token that can be used is always listed.
      await state.set(`${ownerPrefix(record.owner)}${digest}`, "", ttl);
      await state.set(recordKey(digest), JSON.stringify(record), ttl);
      // The one moment that counts: whoever has taken the reservation over meanwhile has the name.
      if (await state.replace(nameKey(record), reservation(digest), digest)) return true;
      await forget(token);
      return false;
    },
    find,
    async list(owner) {
      const digests = owner === undefined ? await allDigests() : await digestsOf(owner);
      const found = await Promise.all(
        digests.map(async (digest) => {
          const record = await find(digest);
          return record === undefined ? [] : [await withUse({ digest, record })];
        }),
      );
      return found.flat().sort((one, other) => one.record.createdAt - other.record.createdAt);
    },
    async remove(token) {
      try {
        return await forget(token);
      } finally {
        // What failed may have been done all the same.
        removed.notify(token);
      }
    },
    async recordUse({ digest, record }, use) {
      await state.set(useKey(digest), JSON.stringify(use), remaining(record) ?? useTtl);
    },
    onRemoved: removed.add,
  };
}

/** Whether the time of a token is over. */
export function hasExpired({ expiresAt }: AccessToken): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now();
}

/** The time that is left, in milliseconds. */
function remaining({ expiresAt }: AccessToken): number | undefined {
  return expiresAt === undefined ? undefined : Math.max(1, expiresAt - Date.now());
}

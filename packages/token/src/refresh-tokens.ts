import { createHash } from "node:crypto";
import { type AuthBackend, BackendUnavailableError, type Identity } from "@registry-gate/auth";
import { createOpaqueToken, isOpaqueToken, opaqueTokenDigest, z } from "@registry-gate/auth-kit";

/** A store of texts, as far as refresh tokens need it: that of `@registry-gate/state` is one. A `ttl` is in milliseconds. */
export interface RefreshTokenStore {
  /** Reads a value; `undefined` where there is none. */
  get(key: string): Promise<string | undefined>;
  /** Writes an entry only where there is none, and says whether it did. */
  add(key: string, value: string, ttl: number): Promise<boolean>;
  /** Replaces a value only where it is `expected`, and says whether it did. */
  replace(key: string, expected: string, value: string, ttl: number): Promise<boolean>;
  /** Says whether there was an entry. */
  delete(key: string): Promise<boolean>;
  /** All entries whose keys begin with a prefix. */
  list(prefix: string): Promise<readonly { readonly key: string; readonly value: string }[]>;
}

/** What {@link refreshTokens} is told. */
export interface RefreshTokenOptions {
  readonly store: RefreshTokenStore;
  /** For how long a token holds after its last use, in milliseconds. Default 30 days. */
  readonly ttl?: number;
}

/** A refresh token without its secret. */
export interface RefreshTokenEntry {
  /** By which it can be revoked. No secret. */
  readonly id: string;
  readonly backend: string;
  readonly subject: string;
  readonly username: string;
  /** What the client calls itself. */
  readonly client?: string;
  /** In milliseconds since the epoch, as are the others. */
  readonly createdAt: number;
  /** At most an hour too early. */
  readonly lastUsed: number;
  readonly expiresAt: number;
}

/** What {@link RefreshTokens.redeem} finds. A reason is for the log. */
export type Redeemed =
  | { readonly kind: "valid"; readonly identity: Identity }
  /** It never was one, has expired, or its user is no more who they were: it has been deleted. */
  | { readonly kind: "invalid"; readonly reason: string }
  /** Whether it holds cannot be found out now. It stays. */
  | { readonly kind: "unavailable"; readonly reason: string };

/** Logins that last, without a password being kept. It is what lists and revokes the `devices` of a portal's users. */
export interface RefreshTokens {
  /**
   * Issues a token to somebody who has just signed in.
   *
   * @returns `undefined` where the backend of the user has no `lookup`, by which the token would end with them.
   * @throws what the store throws.
   */
  issue(identity: Identity, backends: readonly AuthBackend[], client?: string): Promise<string | undefined>;
  /**
   * Looks up anew who has a token: by the backend that had signed them in.
   *
   * @throws the reason of the signal, and nothing else.
   */
  redeem(token: string, backends: readonly AuthBackend[], signal: AbortSignal): Promise<Redeemed>;
  /** All tokens, or those of one user. @throws what the store throws. */
  list(user?: Pick<Identity, "backend" | "subject">): Promise<readonly RefreshTokenEntry[]>;
  /**
   * Ends a token at once.
   *
   * @param user Whose it must be. Default: anybody's.
   * @returns whether there was one.
   * @throws what the store throws.
   */
  revoke(id: string, user?: Pick<Identity, "backend" | "subject">): Promise<boolean>;
}

const prefix = "rgr_";
const keyPrefix = "refresh-token:";
/** The tokens of one user stand here once more, so that they are found without looking at all others. */
const ownerPrefix = ({ backend, subject }: UserReference): string =>
  `refresh-token-of:${createHash("sha256")
    .update(JSON.stringify([backend, subject]))
    .digest("hex")}:`;
/** Of one user. Each `docker login` leaves one behind; beyond these the one that was used least lately ends. */
const maxTokens = 100;
const thirtyDays = 30 * 86_400_000;
/** How often a use is written down, in milliseconds. */
const writeInterval = 3_600_000;
const longestClient = 128;

const recordSchema = z.object({
  backend: z.string(),
  subject: z.string(),
  username: z.string(),
  revision: z.string().exactOptional(),
  client: z.string().exactOptional(),
  created: z.number(),
  used: z.number(),
  expires: z.number(),
});

type TokenRecord = z.infer<typeof recordSchema>;

/**
 * Keeps refresh tokens: 256 random bits each, of which the store has the SHA-256 alone. One can be used again and again, and
 * is never replaced by another: docker and CRI-O use the same one from several places. It expires a while after its last use.
 *
 * Each belongs to the user of one backend, and to the revision of what that user signed in with.
 */
export function refreshTokens({ store, ttl = thirtyDays }: RefreshTokenOptions): RefreshTokens {
  async function find(key: string): Promise<{ readonly value: string; readonly record: TokenRecord } | undefined> {
    const value = await store.get(key);
    const record = value === undefined ? undefined : parseRecord(value);
    return value === undefined || record === undefined ? undefined : { value, record };
  }

  /** A token that was revoked meanwhile stays so. */
  async function writeUse(key: string, value: string, record: TokenRecord): Promise<void> {
    const now = Date.now();
    if (now - record.used < Math.min(writeInterval, ttl / 2)) return;
    const written = JSON.stringify({ ...record, used: now, expires: now + ttl });
    if (!(await store.replace(key, value, written, ttl))) return;
    const digest = key.slice(keyPrefix.length);
    const ownerKey = ownerPrefix(record) + digest;
    if (!(await store.replace(ownerKey, "", "", ttl))) await store.add(ownerKey, "", ttl);
  }

  async function remove(digest: string, owner: UserReference): Promise<boolean> {
    // The token first: from then on it is worth nothing, whatever else fails.
    const was = await store.delete(keyPrefix + digest);
    await store.delete(ownerPrefix(owner) + digest);
    return was;
  }

  async function listOf(user: UserReference): Promise<readonly RefreshTokenEntry[]> {
    const prefix = ownerPrefix(user);
    const entries = await store.list(prefix);
    const found = entries.map(async ({ key }): Promise<readonly RefreshTokenEntry[]> => {
      const digest = key.slice(prefix.length);
      const record = (await find(keyPrefix + digest))?.record;
      return record === undefined ? [] : [entryOf(digest, record)];
    });
    return (await Promise.all(found)).flat();
  }

  /** Makes room for one more. */
  async function limit(user: UserReference): Promise<void> {
    const { length } = await store.list(ownerPrefix(user));
    if (length < maxTokens) return;
    const oldest = [...(await listOf(user))].sort((one, other) => one.lastUsed - other.lastUsed);
    for (const { id } of oldest.slice(0, oldest.length - maxTokens + 1)) await remove(id, user);
  }

  async function redeem(token: string, backends: readonly AuthBackend[], signal: AbortSignal): Promise<Redeemed> {
    if (!isOpaqueToken(prefix, token)) return { kind: "invalid", reason: "it is no refresh token" };
    const key = keyPrefix + opaqueTokenDigest(token);
    const found = await find(key);
    if (found === undefined) return { kind: "invalid", reason: "the refresh token is not known" };
    const { value, record } = found;
    const end = async (reason: string): Promise<Redeemed> => {
      await remove(key.slice(keyPrefix.length), record);
      return { kind: "invalid", reason };
    };
    if (record.expires <= Date.now()) return end("the refresh token has expired");
    const backend = backends.find(({ id }) => id === record.backend);
    // A configuration may be wrong for a moment, and a token that is deleted does not come back.
    if (backend?.lookup === undefined) {
      return { kind: "invalid", reason: `no backend ${record.backend} can look the user up` };
    }
    const identity = await backend.lookup(record.subject, signal);
    signal.throwIfAborted();
    if (identity === undefined) return end(`${record.backend}: the user of the refresh token is gone or disabled`);
    if (identity.revision !== record.revision) return end(`${record.backend}: the user's password has changed`);
    await writeUse(key, value, record);
    return { kind: "valid", identity };
  }

  return {
    async issue(identity, backends, client) {
      const backend = backends.find(({ id }) => id === identity.backend);
      if (backend?.lookup === undefined) return undefined;
      const { subject, username, revision } = identity;
      const now = Date.now();
      const record: TokenRecord = {
        backend: identity.backend,
        subject,
        username,
        ...(revision !== undefined && { revision }),
        ...(client !== undefined && { client: client.slice(0, longestClient).toWellFormed() }),
        created: now,
        used: now,
        expires: now + ttl,
      };
      await limit(record);
      const token = createOpaqueToken(prefix);
      const digest = opaqueTokenDigest(token);
      // Before the token: one that can be used is always listed.
      await store.add(ownerPrefix(record) + digest, "", ttl);
      const added = await store.add(keyPrefix + digest, JSON.stringify(record), ttl);
      if (!added) throw new RangeError("two random tokens are the same");
      return token;
    },
    async redeem(token, backends, signal) {
      try {
        return await redeem(token, backends, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        const reason = error instanceof BackendUnavailableError ? error.message : "refresh tokens cannot be looked up";
        return { kind: "unavailable", reason };
      }
    },
    async list(user) {
      if (user !== undefined) return listOf(user);
      return (await store.list(keyPrefix)).flatMap(({ key, value }) => {
        const record = parseRecord(value);
        return record === undefined ? [] : [entryOf(key.slice(keyPrefix.length), record)];
      });
    },
    async revoke(id, user) {
      if (!/^[0-9a-f]{64}$/.test(id)) return false;
      const record = (await find(keyPrefix + id))?.record;
      if (record === undefined || (user !== undefined && !isOf(record, user))) return false;
      return remove(id, record);
    },
  };
}

function entryOf(id: string, record: TokenRecord): RefreshTokenEntry {
  const { revision: _, created, used, expires, ...owner } = record;
  return { id, ...owner, createdAt: created, lastUsed: used, expiresAt: expires };
}

type UserReference = Pick<Identity, "backend" | "subject">;

function isOf(token: UserReference, { backend, subject }: UserReference): boolean {
  return token.backend === backend && token.subject === subject;
}

function parseRecord(value: string): TokenRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined;
  }
}

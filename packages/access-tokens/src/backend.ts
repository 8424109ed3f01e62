import {
  type AuthBackend,
  type AuthBackendPlugin,
  type AuthRequest,
  type AuthResult,
  type BackendContext,
  BackendUnavailableError,
  type Credentials,
  type Identity,
  InvalidOptionsError,
  type Rejected,
} from "@registry-gate/auth";
import {
  type AddressSet,
  addressSet,
  backendContext,
  definePlugin,
  parseOptions,
  subscriptions,
  untilAborted,
  userLookup,
} from "@registry-gate/auth-kit";
import { lastUseWriter } from "./last-use.ts";
import { type AccessTokenOptions, accessTokenOptions, resolveRecheckOwner } from "./options.ts";
import { type CachedRecord, recordCache } from "./record-cache.ts";
import { ownerIdentity, robotIdentity, subjectIn, tokenSubject } from "./token-identity.ts";
import type { AccessToken, UserOwner } from "./token-record.ts";
import { hasExpired, openTokenStore, type StoredToken } from "./token-store.ts";
import { digestOf, isToken, tokenPrefix } from "./token-text.ts";

/** Of what another process has revoked nothing is known for so long, in milliseconds: with the store's own time below 1 s. */
const holdFor = 500;
/** How often the last use of a token is written, in milliseconds. */
const useInterval = 60_000;
/**
 * How often the owners of all tokens are looked at, in milliseconds. Those that are known are not looked up anew before
 * `recheckOwner` is over, and from then on their backend says when they change.
 */
const sweepInterval = 60_000;

const abstained: AuthResult = { status: "abstained" };

/**
 * Makes a backend of access tokens: as the password of a Basic login beside any user name, and as Bearer.
 *
 * A token signs in as its owner is now: the owner's own backend looks the owner up, at most every `recheckOwner`. The grants
 * are the token's scopes, so that its rights are never wider than the owner's at the time of use. A token whose owner is gone
 * is deleted. It abstains from whatever does not begin as an access token does.
 *
 * The subject of an identity is the id of the owner's backend and the owner's subject there; of a robot it is its user name,
 * `robot$NAME`.
 *
 * @param context Needs `state`, where tokens are kept, and, unless all tokens are of robots, `sibling`, by which the backends
 * of owners are found. What else is left out has defaults: the id `access-token`, and no log.
 * @throws {InvalidOptionsError} when the options are wrong, or there is no state.
 */
export function accessTokenBackend(options: AccessTokenOptions, context: Partial<BackendContext> = {}): AuthBackend {
  const recheckOwner = resolveRecheckOwner(parseOptions(accessTokenOptions, options));
  const { id, log, state, sibling = () => undefined } = backendContext(context, "access-token");
  if (state === undefined) {
    throw new InvalidOptionsError([{ path: [], message: "needs state, where access tokens are kept" }]);
  }
  const store = openTokenStore(state);
  const changes = subscriptions<[subject?: string]>();
  const records = recordCache(store, holdFor);
  const uses = lastUseWriter(store, useInterval, log);
  const owners = userLookup({
    backendOf: sibling,
    recheck: recheckOwner,
    onChange(backend, subject) {
      changes.notify(subject === undefined ? undefined : subjectIn(backend, subject));
      void removeOrphans((owner) => owner.backend === backend && (subject === undefined || owner.subject === subject));
    },
  });
  // Whoever gets the name of somebody who has left must not get the tokens too, which nobody may have used meanwhile.
  const sweep = setInterval(() => void removeOrphans(() => true), sweepInterval);
  sweep.unref();
  const closing = new AbortController();

  /** Deletes the tokens whose owners are gone. What cannot be found out now is looked at again later. */
  async function removeOrphans(concerned: (owner: UserOwner) => boolean): Promise<void> {
    try {
      for (const token of await store.list()) {
        const { owner } = token.record;
        if (owner.kind !== "user" || !concerned(owner)) continue;
        const finding = await owners.find(owner, closing.signal);
        if (finding.kind !== "gone") continue;
        await store.remove(token);
        log.info({ backend: id, token: token.record.id, owner: owner.username }, ownerGone);
      }
    } catch (error) {
      if (!closing.signal.aborted) log.warn({ backend: id, err: error }, "owners of access tokens cannot be looked up");
    }
  }
  const stopListening = store.onRemoved(({ digest, record }) => {
    records.forget(digest);
    changes.notify(tokenSubject(record.owner));
  });

  async function judge(digest: string, request: AuthRequest): Promise<AuthResult> {
    const found = await readRecord(digest, request.signal);
    if (found === undefined) return rejected("the access token is not known, was revoked or has expired");
    const { record } = found;
    if (hasExpired(record)) return rejected("the access token has expired");
    if (!isWithin(record, request)) return rejected("the access token may not be used from this network");
    const identity = await identify({ digest, record }, request);
    if ("status" in identity) return identity;
    uses.note({ digest, record }, request.client, request.agent);
    return {
      status: "authenticated",
      identity,
      ...(record.expiresAt !== undefined && { expiresAt: record.expiresAt }),
      ...(record.scopes !== undefined && { grants: record.scopes }),
      // What holds for one address is not to be remembered for another.
      rememberFor: record.networks === undefined ? Math.max(0, found.holdsUntil - performance.now()) : 0,
    };
  }

  async function readRecord(digest: string, signal: AbortSignal): Promise<CachedRecord | undefined> {
    return unlessUnavailable("access tokens cannot be read", untilAborted(records.find(digest), signal), signal);
  }

  async function identify(token: StoredToken, { signal, requestId }: AuthRequest): Promise<Identity | Rejected> {
    const { owner, id: tokenId } = token.record;
    const reference = { id: tokenId, digest: token.digest };
    if (owner.kind === "robot") return robotIdentity(owner, id, reference);
    const finding = await unlessUnavailable("the owner cannot be looked up", owners.find(owner, signal), signal);
    if (finding.kind === "found") return ownerIdentity(finding.identity, id, reference);
    if (finding.kind === "unknown") return rejected(`the access token's owner cannot be found: ${finding.reason}`);
    await unlessUnavailable("an access token cannot be deleted", untilAborted(store.remove(token), signal), signal);
    log.info({ requestId, backend: id, token: tokenId, owner: owner.username }, ownerGone);
    return rejected("the access token's owner is gone or disabled");
  }

  /** @throws {BackendUnavailableError} of this backend, or the reason of the signal. */
  async function unlessUnavailable<T>(reason: string, work: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (signal.aborted) throw new BackendUnavailableError(id, "the request was given up", { cause: error });
      throw new BackendUnavailableError(id, reason, { cause: error });
    }
  }

  return {
    id,
    tokenPrefixes: [tokenPrefix],
    async authenticate(request) {
      const token = presented(request.credentials);
      if (token === undefined) return abstained;
      if (!isToken(token)) return rejected("the access token is malformed: its checksum does not fit");
      return judge(digestOf(token), request);
    },
    async recheck({ revision, subject }, request) {
      if (revision === undefined) return undefined;
      const result = await judge(revision, request);
      const holds = result.status === "authenticated" && result.identity.subject === subject;
      return holds ? (result.rememberFor ?? 0) : undefined;
    },
    onChange: changes.add,
    async check(signal) {
      await unlessUnavailable(
        "access tokens cannot be read",
        untilAborted(state.get("access-token/check"), signal),
        signal,
      );
    },
    async close() {
      stopListening();
      clearInterval(sweep);
      closing.abort();
      owners.close();
      changes.clear();
      await uses.close();
    },
  };
}

const ownerGone = "an access token is deleted: its owner is gone";

/** Lets a configuration name the backend as `type: access-token`. */
export const plugin: AuthBackendPlugin = definePlugin({
  type: "access-token",
  options: accessTokenOptions,
  open: accessTokenBackend,
});

/** What begins as an access token does; what only looks like one is nobody's password either. */
function presented(credentials: Credentials | undefined): string | undefined {
  if (credentials === undefined) return undefined;
  const text = credentials.scheme === "basic" ? credentials.password : credentials.token;
  return text.startsWith(tokenPrefix) ? text : undefined;
}

const networks = new WeakMap<AccessToken, AddressSet>();

function isWithin(record: AccessToken, { client, peer }: AuthRequest): boolean {
  if (record.networks === undefined) return true;
  const set = networks.get(record) ?? addressSet(record.networks);
  networks.set(record, set);
  return set.hasPeer({ address: client, unixSocket: peer.unixSocket });
}

function rejected(reason: string): Rejected {
  return { status: "rejected", reason };
}

import type { AccessToken } from "./token-record.ts";
import type { TokenStore } from "./token-store.ts";

/** A record, and until when it may be used without asking the store, on the monotonic clock in milliseconds. */
export interface CachedRecord {
  readonly record: AccessToken;
  readonly holdsUntil: number;
}

/** Reads records, each at most once within a time that is short enough for revocations by other processes. */
export interface RecordCache {
  /** @throws whatever the store throws. */
  find(digest: string): Promise<CachedRecord | undefined>;
  forget(digest: string): void;
}

interface Entry {
  readonly work: Promise<AccessToken | undefined>;
  /** On the monotonic clock, when the reading began: what was revoked later is not seen in it. */
  readonly since: number;
}

/** Many tokens in use at once; beyond them the oldest is read again. */
const mostEntries = 10_000;

/** @param holdFor In milliseconds. */
export function recordCache(store: TokenStore, holdFor: number): RecordCache {
  const entries = new Map<string, Entry>();

  function read(digest: string): Entry {
    const entry: Entry = { work: store.find(digest), since: performance.now() };
    const [oldest] = entries.keys();
    if (entries.size >= mostEntries && oldest !== undefined) entries.delete(oldest);
    entries.delete(digest);
    entries.set(digest, entry);
    const drop = (): void => {
      if (entries.get(digest) === entry) entries.delete(digest);
    };
    // Only what is there is remembered: strangers do not fill the memory.
    entry.work.then((record) => record === undefined && drop(), drop);
    return entry;
  }

  return {
    async find(digest) {
      const known = entries.get(digest);
      const entry = known !== undefined && performance.now() - known.since < holdFor ? known : read(digest);
      const record = await entry.work;
      if (record === undefined) return undefined;
      return { record, holdsUntil: entry.since + holdFor };
    },
    forget: (digest) => void entries.delete(digest),
  };
}

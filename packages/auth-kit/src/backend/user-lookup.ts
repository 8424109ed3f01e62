import { type AuthBackend, BackendUnavailableError, type Identity } from "@registry-gate/auth";
import { untilAborted } from "../waiting/until-aborted.ts";

/** A user, as in the identity that the user's backend has given. */
export type KnownUser = Pick<Identity, "backend" | "subject">;

/** What became of a user who has signed in once. */
export type UserFinding =
  | { readonly kind: "found"; readonly identity: Identity }
  /** Gone, disabled or expired. */
  | { readonly kind: "gone" }
  /** Nobody can say: the configuration does not fit. It goes on after "the owner's backend" or "the user's backend". */
  | { readonly kind: "unknown"; readonly reason: string };

/** Finds users as they are now, and remembers them for a while. */
export interface UserLookup {
  /**
   * @throws {BackendUnavailableError} of the user's backend.
   * @throws what the signal gives as its reason.
   */
  find(user: KnownUser, signal: AbortSignal): Promise<UserFinding>;
  /** Forgets what was looked up, and hears of no more changes. */
  close(): void;
}

/** Options of {@link userLookup}. */
export interface UserLookupOptions {
  /** Finds a backend by its id. */
  readonly backendOf: (id: string) => AuthBackend | undefined;
  /** For how long a user is taken for what a lookup has found, in milliseconds. */
  readonly recheck: number;
  /** Is called when a backend says that one of its users may have changed, or, without a subject, any of them. */
  readonly onChange?: (backend: string, subject: string | undefined) => void;
}

interface Entry {
  readonly user: KnownUser;
  readonly work: Promise<Identity | undefined>;
  /** On the monotonic clock, when the lookup began. */
  readonly since: number;
}

interface Watched {
  readonly backend: AuthBackend;
  readonly unsubscribe: (() => void) | undefined;
}

const mostEntries = 10_000;
/** How long a lookup may take, in milliseconds: far above what a backend's own limits add up to. */
const lookupTimeout = 30_000;

/**
 * Looks users up by their backends, each at most once in `recheck`, unless the backend says that the user may have changed: for
 * whatever outlives a login, such as a token or a session.
 */
export function userLookup({ backendOf, recheck, onChange }: UserLookupOptions): UserLookup {
  const entries = new Map<string, Entry>();
  const watched = new Map<string, Watched>();

  /** Hears of changes of a backend from its first lookup on. */
  function watch(backend: AuthBackend): void {
    const known = watched.get(backend.id);
    if (known?.backend === backend) return;
    known?.unsubscribe?.();
    const forget = (subject?: string): void => {
      for (const [key, { user }] of entries) {
        if (user.backend === backend.id && (subject === undefined || user.subject === subject)) entries.delete(key);
      }
    };
    // What another backend of the same id has said does not count for this one.
    if (known !== undefined) forget();
    const unsubscribe = backend.onChange?.((subject) => {
      forget(subject);
      onChange?.(backend.id, subject);
    });
    watched.set(backend.id, { backend, unsubscribe });
  }

  function look(key: string, user: KnownUser, lookup: NonNullable<AuthBackend["lookup"]>): Entry {
    const entry: Entry = {
      user,
      work: (async () => lookup(user.subject, AbortSignal.timeout(lookupTimeout)))(),
      since: performance.now(),
    };
    const [oldest] = entries.keys();
    if (entries.size >= mostEntries && oldest !== undefined) entries.delete(oldest);
    entries.delete(key);
    entries.set(key, entry);
    const drop = (): void => {
      if (entries.get(key) === entry) entries.delete(key);
    };
    entry.work.then((identity) => identity === undefined && drop(), drop);
    return entry;
  }

  return {
    async find(user, signal) {
      const backend = backendOf(user.backend);
      if (backend === undefined) return { kind: "unknown", reason: `${user.backend} is not configured` };
      const { lookup } = backend;
      if (lookup === undefined) return { kind: "unknown", reason: `${user.backend} cannot look its users up` };
      watch(backend);
      const key = JSON.stringify([user.backend, user.subject]);
      const known = entries.get(key);
      const fresh = known !== undefined && performance.now() - known.since < recheck;
      const entry = fresh ? known : look(key, user, lookup.bind(backend));
      const identity = await untilAborted(entry.work, signal);
      if (identity === undefined) return { kind: "gone" };
      // Somebody else's rights are nobody's to use.
      if (identity.subject !== user.subject) {
        throw new BackendUnavailableError(backend.id, "a lookup has found somebody else than was asked for");
      }
      return { kind: "found", identity };
    },
    close() {
      for (const { unsubscribe } of watched.values()) unsubscribe?.();
      watched.clear();
      entries.clear();
    },
  };
}

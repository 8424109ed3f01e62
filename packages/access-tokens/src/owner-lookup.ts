import { type AuthBackend, BackendUnavailableError, type Identity } from "@registry-gate/auth";
import { untilAborted } from "@registry-gate/auth-kit";
import type { UserOwner } from "./token-record.ts";
import { ownerKey } from "./token-store.ts";

/** What became of an owner. */
export type OwnerFinding =
  | { readonly kind: "found"; readonly identity: Identity }
  /** Gone, disabled or expired. */
  | { readonly kind: "gone" }
  /** Nobody can say: the configuration does not fit. It goes on after "the owner's backend". */
  | { readonly kind: "unknown"; readonly reason: string };

/** Finds owners as they are now, and remembers them for a while. */
export interface OwnerLookup {
  /**
   * @throws {BackendUnavailableError} of the owner's backend.
   * @throws what the signal gives as its reason.
   */
  find(owner: UserOwner, signal: AbortSignal): Promise<OwnerFinding>;
  close(): void;
}

export interface OwnerLookupOptions {
  /** Finds a backend by its id. */
  readonly backendOf: (id: string) => AuthBackend | undefined;
  /** For how long an owner is taken for what a lookup has found, in milliseconds. */
  readonly recheckOwner: number;
  /** Is called when a backend says that one of its users may have changed, or, without a subject, any of them. */
  readonly onChange: (backend: string, subject: string | undefined) => void;
}

interface Entry {
  readonly owner: UserOwner;
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

export function ownerLookup({ backendOf, recheckOwner, onChange }: OwnerLookupOptions): OwnerLookup {
  const entries = new Map<string, Entry>();
  const watched = new Map<string, Watched>();

  /** Hears of changes of a backend from its first lookup on. */
  function watch(backend: AuthBackend): void {
    const known = watched.get(backend.id);
    if (known?.backend === backend) return;
    known?.unsubscribe?.();
    const forget = (subject?: string): void => {
      for (const [key, { owner }] of entries) {
        if (owner.backend === backend.id && (subject === undefined || owner.subject === subject)) entries.delete(key);
      }
    };
    // What another backend of the same id has said does not count for this one.
    if (known !== undefined) forget();
    const unsubscribe = backend.onChange?.((subject) => {
      forget(subject);
      onChange(backend.id, subject);
    });
    watched.set(backend.id, { backend, unsubscribe });
  }

  function look(key: string, owner: UserOwner, lookup: NonNullable<AuthBackend["lookup"]>): Entry {
    const entry: Entry = {
      owner,
      work: (async () => lookup(owner.subject, AbortSignal.timeout(lookupTimeout)))(),
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
    async find(owner, signal) {
      const backend = backendOf(owner.backend);
      if (backend === undefined) return { kind: "unknown", reason: `${owner.backend} is not configured` };
      const { lookup } = backend;
      if (lookup === undefined) return { kind: "unknown", reason: `${owner.backend} cannot look its users up` };
      watch(backend);
      const key = ownerKey(owner);
      const known = entries.get(key);
      const fresh = known !== undefined && performance.now() - known.since < recheckOwner;
      const entry = fresh ? known : look(key, owner, lookup.bind(backend));
      const identity = await untilAborted(entry.work, signal);
      if (identity === undefined) return { kind: "gone" };
      // Somebody else's rights are nobody's to use.
      if (identity.subject !== owner.subject) {
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

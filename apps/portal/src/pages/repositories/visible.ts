import type { Principal, RegistryProxy } from "@registry-gate/core";
import { LRUCache } from "lru-cache";
import { byName, listRepositories, type Names } from "../../registry/lists.ts";
import { readerFor } from "../../registry/reader.ts";

/** The repositories that somebody may pull, as they were a moment ago. */
export interface VisibleRepositories {
  /**
   * The names that were read last, at once; a list that is older than half a minute is read anew meanwhile. What is
   * shown of it must be checked again: rules may have changed.
   *
   * @throws {RegistryFaultError} where there is no list yet.
   */
  list(principal: Principal): Promise<Names>;
  /** Something was pushed, perhaps to a repository that lists do not have yet. */
  pushed(repository: string): void;
}

interface List {
  readonly names: Names;
  /** In milliseconds of `performance.now()`. */
  readonly at: number;
}

interface Entry {
  list?: List;
  reading?: Promise<List>;
}

const mostRepositories = 100_000;
/** Each list has up to a few megabytes. */
const mostReaders = 200;
/** Repositories that were pushed to since the oldest list. */
const mostPushed = 1000;
/** In milliseconds. */
const fresh = 30_000;
const longestRead = 60_000;

export function visibleRepositories(registry: Pick<RegistryProxy, "read" | "permissions">): VisibleRepositories {
  const entries = new LRUCache<string, Entry>({ max: mostReaders });
  const pushed = new LRUCache<string, true>({ max: mostPushed });

  async function read(principal: Principal): Promise<List> {
    const at = performance.now();
    // Not the signal of a request: others wait for the list, too.
    const reader = readerFor(registry, principal, AbortSignal.timeout(longestRead));
    return { names: await listRepositories(reader, mostRepositories), at };
  }

  function readAnew(entry: Entry, principal: Principal): Promise<List> {
    entry.reading ??= read(principal)
      .then((list) => {
        entry.list = list;
        return list;
      })
      .finally(() => {
        delete entry.reading;
      });
    return entry.reading;
  }

  /** With what has come since it was read. */
  function completed({ names, cut }: Names, principal: Principal): Names {
    const known = new Set(names);
    const added = [...pushed.keys()].filter((name) => !known.has(name) && registry.permissions(principal, name).pull);
    return { names: added.length === 0 ? names : [...names, ...added].sort(byName), cut };
  }

  return {
    async list(principal) {
      const key = keyOf(principal);
      const entry = entries.get(key) ?? {};
      entries.set(key, entry);
      const { list } = entry;
      if (list === undefined) return (await readAnew(entry, principal)).names;
      // The old list serves as long as there is no newer one.
      if (performance.now() - list.at > fresh) readAnew(entry, principal).catch(() => {});
      return pushed.size === 0 ? list.names : completed(list.names, principal);
    },
    pushed: (repository) => void pushed.set(repository, true),
  };
}

/** Everything by which rules tell people apart. */
function keyOf(principal: Principal): string {
  if (principal.kind !== "user") return "anonymous";
  const { backend, subject, username, groups } = principal.identity;
  return JSON.stringify([backend, subject, username, groups, principal.grants]);
}

import { type LinkedNode, linkedList } from "@registry-gate/auth-kit";
import type { KeptResponse } from "./kept-response.ts";

/** One manifest or blob of one repository, by tag or digest, with its variants. */
export interface Resource<Fill> {
  readonly repository: string;
  readonly name: string;
  /** By what selects a variant. */
  readonly entries: Map<string, Entry>;
  /** Responses on their way from the registry that others may wait for. */
  readonly fills: Map<string, Fill>;
  /** How many responses are on their way. */
  filling: number;
  /**
   * A write has passed: what was asked for before must not be kept. What is asked for later belongs to another resource of
   * the same name.
   */
  dropped: boolean;
}

export interface Entry {
  readonly response: KeptResponse;
  readonly cost: number;
  readonly place: LinkedNode<Location>;
}

interface Location {
  readonly resource: Resource<unknown>;
  readonly variant: string;
}

/**
 * Kept responses, bounded by their memory; those that were not read for the longest time go first.
 *
 * Nothing is shared among repositories, whatever its digest.
 */
export interface ContentStore<Fill> {
  readonly bytes: number;
  readonly count: number;
  find(repository: string, name: string): Resource<Fill> | undefined;
  /** Finds a resource, or makes it. One that stays without entries and fills is to be given to {@link tidy}. */
  open(repository: string, name: string): Resource<Fill>;
  /** An entry was read. */
  touch(entry: Entry): void;
  /** Makes room. `false`: there is too little of it. */
  reserve(cost: number): boolean;
  /** Gives reserved room back. */
  release(cost: number): void;
  /** Keeps a response in room that was reserved. The resource must not be dropped. */
  keep(resource: Resource<Fill>, variant: string, response: KeptResponse, cost: number): void;
  remove(resource: Resource<Fill>, variant: string): void;
  /** Forgets resources of a repository, what is on its way included: those with these names, or all. */
  drop(repository: string, names?: readonly string[]): void;
  /** Forgets a resource that has nothing. */
  tidy(resource: Resource<Fill>): void;
  clear(): void;
}

/** What an entry takes beside its body, its headers and its key: objects of V8, places in maps, the list. */
const overhead = 1024;

/** The memory that a response takes, in bytes, rather too much than too little. */
export function costOf(length: number, headers: KeptResponse["headers"], variant: string, name: string): number {
  let characters = variant.length + name.length;
  for (const field in headers) characters += field.length + String(headers[field]).length;
  return length + 2 * characters + overhead;
}

export function contentStore<Fill>(maxSize: number): ContentStore<Fill> {
  const repositories = new Map<string, Map<string, Resource<Fill>>>();
  /** The one that was read last is at the end. */
  const order = linkedList<Location>();
  let bytes = 0;
  let count = 0;

  function remove(resource: Resource<unknown>, variant: string): void {
    const entry = resource.entries.get(variant);
    if (entry === undefined) return;
    resource.entries.delete(variant);
    order.remove(entry.place);
    bytes -= entry.cost;
    count--;
  }

  function tidy(resource: Resource<unknown>): void {
    if (resource.dropped || resource.filling > 0 || resource.entries.size > 0) return;
    forget(resource);
  }

  function forget(resource: Resource<unknown>): void {
    resource.dropped = true;
    for (const variant of [...resource.entries.keys()]) remove(resource, variant);
    const resources = repositories.get(resource.repository);
    resources?.delete(resource.name);
    if (resources?.size === 0) repositories.delete(resource.repository);
  }

  return {
    get bytes() {
      return bytes;
    },
    get count() {
      return count;
    },
    find: (repository, name) => repositories.get(repository)?.get(name),
    open(repository, name) {
      let resources = repositories.get(repository);
      if (resources === undefined) {
        resources = new Map();
        repositories.set(repository, resources);
      }
      let resource = resources.get(name);
      if (resource === undefined) {
        resource = { repository, name, entries: new Map(), fills: new Map(), filling: 0, dropped: false };
        resources.set(name, resource);
      }
      return resource;
    },
    touch(entry) {
      order.moveToEnd(entry.place);
    },
    reserve(cost) {
      if (cost > maxSize) return false;
      while (bytes + cost > maxSize) {
        const oldest = order.first?.value;
        if (oldest === undefined) return false;
        remove(oldest.resource, oldest.variant);
        tidy(oldest.resource);
      }
      bytes += cost;
      return true;
    },
    release(cost) {
      bytes -= cost;
    },
    keep(resource, variant, response, cost) {
      remove(resource, variant);
      resource.entries.set(variant, { response, cost, place: order.append({ resource, variant }) });
      count++;
    },
    remove,
    drop(repository, names) {
      const resources = repositories.get(repository);
      if (resources === undefined) return;
      for (const name of names ?? [...resources.keys()]) {
        const resource = resources.get(name);
        if (resource !== undefined) forget(resource);
      }
    },
    tidy,
    clear() {
      for (const resources of [...repositories.values()]) for (const each of [...resources.values()]) forget(each);
    },
  };
}

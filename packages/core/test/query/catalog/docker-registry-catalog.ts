import type { CatalogPlace } from "../../../src/query/catalog/catalog-place.ts";
import type { RegistryPage } from "../../../src/query/catalog/filtered-catalog.ts";

export interface CatalogModel {
  /** Never asks to be asked for less. */
  readonly read: (n: number, place: CatalogPlace) => Promise<RegistryPage>;
  /** How often it was read. */
  reads(): number;
}

/**
 * The catalog of docker-registry over a file system: in the order of a walk, where a slash comes before all that a name
 * may hold; from behind `last`, which need not exist; and with a next page promised whenever a page is full, be there one
 * or not. With `exact` it is promised only where there is one, as other registries do.
 */
export function dockerRegistryCatalog(names: Iterable<string>, limit = 1000, exact = false): CatalogModel {
  const listed = inOrder(names);
  let reads = 0;
  return {
    reads: () => reads,
    async read(n, { last }): Promise<RegistryPage> {
      reads++;
      const rest = listed.filter((name) => last === undefined || compare(name, last) > 0);
      const repositories = rest.slice(0, Math.min(n, limit));
      const more = exact ? rest.length > repositories.length : repositories.length === Math.min(n, limit);
      const end = repositories.at(-1);
      return { repositories, next: more && end !== undefined ? { last: end } : undefined };
    },
  };
}

/**
 * The catalog of a registry that names its pages itself, as Quay does: it does not know `last`, and a page keeps the size
 * that the first one had.
 */
export function opaqueCatalog(names: Iterable<string>, limit: number): CatalogModel {
  const listed = inOrder(names);
  let reads = 0;
  return {
    reads: () => reads,
    async read(n, { last, query = `0-${Math.min(n, limit)}`, after = last }): Promise<RegistryPage> {
      reads++;
      const [begin = 0, size = 0] = query.split("-").map(Number);
      const page = listed.slice(begin, begin + size);
      const end = begin + page.length;
      const given = after === undefined ? 0 : page.indexOf(after) + 1;
      return { repositories: page.slice(given), next: end < listed.length ? { query: `${end}-${size}` } : undefined };
    },
  };
}

export function inOrder(names: Iterable<string>): string[] {
  return [...new Set(names)].sort(compare);
}

/** Whether one name comes before another in the walk: negative, zero or positive. */
export function compare(one: string, other: string): number {
  const [left, right] = [one.replaceAll("/", "\u0000"), other.replaceAll("/", "\u0000")];
  return left < right ? -1 : left > right ? 1 : 0;
}

import type { Visible } from "../../authorize/authorize.ts";
import { UpstreamFault } from "../../forward/upstream-fault.ts";
import { upstreamUnreachable } from "../../respond/responses.ts";
import { largestPage } from "../../route/route.ts";
import { type CatalogPlace, isPlain, isSamePlace } from "./catalog-place.ts";

/** One page of a catalog, as a caller receives it. */
export interface CatalogPage {
  readonly repositories: readonly string[];
  /** The value of `last` for the next page; `undefined` on the last page. */
  readonly next: string | undefined;
}

/** One page of the registry's catalog. */
export interface RegistryPage {
  readonly repositories: readonly string[];
  /** `undefined` on the last page. */
  readonly next: CatalogPlace | undefined;
}

/**
 * Reads a page of the registry's catalog: at most `n` names from `place` on, unless the registry itself named the page.
 * `too-many` where the registry limits pages to fewer names: the page is then read again with a smaller `n`.
 */
export type ReadCatalog = (n: number, place: CatalogPlace) => Promise<RegistryPage | "too-many">;

/** The default page size of the CNCF Distribution registry. */
const defaultPage = 100;
/** The maximum number of requests to the registry for one page. */
const mostReads = 10;
/** Each further page of the registry is so many times larger. */
const growth = 10;

/**
 * A page of the visible part of the catalog. It reveals no invisible name, neither as an entry nor as the position of
 * the next page. It is full, unless it is the last one or ten pages of the registry did not have enough visible names;
 * only then can the next page be empty.
 *
 * At most one page of the registry and one of the response are in memory at a time.
 *
 * @param seal Encrypts a position whose name is not visible.
 * @throws {UpstreamFault} where the registry's catalog makes no progress.
 */
export async function filteredCatalog(
  n: number | undefined,
  begin: CatalogPlace,
  visible: Visible,
  read: ReadCatalog,
  seal: (place: CatalogPlace) => string | undefined,
): Promise<CatalogPage> {
  const size = Math.min(n ?? defaultPage, largestPage);
  if (size === 0 || visible === "nothing") return { repositories: [], next: undefined };
  const found: string[] = [];
  let place = begin;
  // One more than requested shows that there is a next page.
  let wanted = Math.max(size + 1, defaultPage);
  for (let reads = 0; reads < mostReads; reads++) {
    const page = await read(Math.min(wanted, largestPage), place);
    if (page === "too-many") continue;
    wanted *= growth;
    for (const repository of page.repositories) {
      if (!visible(repository)) continue;
      if (found.length === size) return { repositories: found, next: within(place, page.next, found.at(-1)) };
      found.push(repository);
    }
    if (page.next === undefined) return { repositories: found, next: undefined };
    if (isSamePlace(page.next, place)) throw stuck();
    place = page.next;
  }
  if (isSamePlace(place, begin)) throw stuck();
  if (isPlain(place) && place.last === found.at(-1)) return { repositories: found, next: place.last };
  return { repositories: found, next: sealed(place) };

  /** The position after a name on a page of the registry, which is read again where no other position leads there. */
  function within(page: CatalogPlace, next: CatalogPlace | undefined, name: string | undefined): string | undefined {
    if (name === undefined || (page.query === undefined && next?.query === undefined)) return name;
    return sealed({ ...page, after: name });
  }

  function sealed(at: CatalogPlace): string {
    const text = seal(at);
    if (text === undefined) throw stuck();
    return text;
  }
}

function stuck(): UpstreamFault {
  return new UpstreamFault(upstreamUnreachable, "the registry's catalog makes no progress");
}

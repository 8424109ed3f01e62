import { upstreamUnreachable } from "../answer/answers.ts";
import type { Visible } from "../authorize/authorize.ts";
import { UpstreamFault } from "../forward/upstream-fault.ts";
import { largestPage, type Page } from "../route/route.ts";

/** One page of a catalog. */
export interface CatalogPage {
  readonly repositories: readonly string[];
  /** What the next page begins after; `undefined` on the last one. */
  readonly next: string | undefined;
}

/**
 * Reads a page of the registry's catalog: at most `n` names that come after `last` in the registry's order. `too-many`
 * where the registry gives fewer names at once: it is then asked again.
 */
export type ReadCatalog = (n: number, last: string | undefined) => Promise<CatalogPage | "too-many">;

/** What the distribution's registry lists where it is not told. */
const defaultPage = 100;
/** What one page may cost the registry. */
const mostReads = 10;
/** What is not found on a page of the registry is looked for on one so many times as large. */
const growth = 10;

/**
 * A page of what is visible of the catalog, that names nothing invisible, not as the place to go on from either. It is
 * full, unless it is the last one or ten pages of the registry had not enough on them; only then can the next page be
 * without a name.
 *
 * At most one page of the registry and one of the response are held at a time.
 *
 * @param seal Hides a place to go on from that is not visible.
 * @throws {UpstreamFault} where the registry's catalog does not go on.
 */
export async function filteredCatalog(
  { n = defaultPage, last }: Page,
  visible: Visible,
  read: ReadCatalog,
  seal: (cursor: string) => string | undefined,
): Promise<CatalogPage> {
  const size = Math.min(n, largestPage);
  if (size === 0 || visible === "nothing") return { repositories: [], next: undefined };
  const found: string[] = [];
  let cursor = last;
  // One more than fits shows that there is a next page.
  let wanted = Math.max(size + 1, defaultPage);
  for (let reads = 0; reads < mostReads; reads++) {
    const page = await read(Math.min(wanted, largestPage), cursor);
    if (page === "too-many") continue;
    wanted *= growth;
    for (const repository of page.repositories) {
      if (!visible(repository)) continue;
      if (found.length === size) return { repositories: found, next: found.at(-1) };
      found.push(repository);
    }
    if (page.next === undefined) return { repositories: found, next: undefined };
    if (page.next === cursor) throw stuck();
    cursor = page.next;
  }
  if (cursor === undefined || cursor === last) throw stuck();
  if (cursor === found.at(-1)) return { repositories: found, next: cursor };
  const sealed = seal(cursor);
  if (sealed === undefined) throw stuck();
  return { repositories: found, next: sealed };
}

function stuck(): UpstreamFault {
  return new UpstreamFault(upstreamUnreachable, "the registry's catalog does not go on");
}

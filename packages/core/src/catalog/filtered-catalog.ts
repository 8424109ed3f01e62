import { upstreamUnreachable } from "../answer/answers.ts";
import type { Visible } from "../authorize/authorize.ts";
import { UpstreamFault } from "../forward/upstream-fault.ts";
import type { Page } from "../route/route.ts";

/** One page of the registry's own catalog. */
export interface CatalogPage {
  readonly repositories: readonly string[];
  /** What the next page begins after; `undefined` on the last one. */
  readonly next: string | undefined;
}

/** Reads a page of the registry's catalog: at most `n` names that come after `last` in the registry's order. */
export type ReadCatalog = (n: number, last: string | undefined) => Promise<CatalogPage>;

/** What the distribution's registry lists where it is not told. */
const defaultPage = 100;
/** The most that a client gets at once, and that a registry is asked for: the distribution's own limit. */
const largestPage = 1000;
/** A bound on the work of one request, far above any registry known: two hundred thousand repositories. */
const mostReads = 200;

/**
 * A page of what is visible of the catalog: full, unless it is the last one; with a next page only if something visible
 * is on it; and naming nothing that is not visible, not as the place to go on from either.
 *
 * At most one page of the registry and one of the answer are held at a time.
 *
 * @throws {UpstreamFault} when the bound is reached before a single name was found.
 */
export async function filteredCatalog(
  { n = defaultPage, last }: Page,
  visible: Visible,
  read: ReadCatalog,
): Promise<CatalogPage> {
  const size = Math.min(n, largestPage);
  if (size === 0 || visible === "nothing") return { repositories: [], next: undefined };
  const found: string[] = [];
  let cursor = last;
  for (let reads = 0; reads < mostReads; reads++) {
    const page = await read(largestPage, cursor);
    for (const repository of page.repositories) {
      if (!visible(repository)) continue;
      // One more than fits shows that there is a next page.
      if (found.length === size) return { repositories: found, next: found.at(-1) };
      found.push(repository);
    }
    if (page.next === undefined) return { repositories: found, next: undefined };
    cursor = page.next;
  }
  if (found.length === 0) {
    throw new UpstreamFault(upstreamUnreachable, `nothing visible in ${mostReads * largestPage} repositories`);
  }
  return { repositories: found, next: found.at(-1) };
}

import type { Upstream } from "../../forward/upstream.ts";
import { UpstreamFault } from "../../forward/upstream-fault.ts";
import { nextQuery, plainPage } from "../../respond/next-page.ts";
import { notFound, upstreamUnreachable } from "../../respond/responses.ts";
import { type ListingRoute, largestPage } from "../../route/route.ts";
import { listingPath, upstreamTarget } from "../../route/upstream-target.ts";
import type { CatalogPlace } from "./catalog-place.ts";
import type { ReadCatalog } from "./filtered-catalog.ts";

const catalog: ListingRoute = { operation: "list-repositories", page: { n: undefined, last: undefined } };
/** Room for a page of the longest names. */
const longestBody = 2 * 1024 * 1024;
/** Since version 2.8.2, the CNCF Distribution registry refuses a page size above its limit, 1000 by default. */
const sizes: readonly number[] = [largestPage, 1000, 100];

/** Reads the catalog of docker-registry's API: `GET /v2/_catalog`, with the next page named in `Link` (RFC 8288). */
export interface CatalogReader {
  /** Reads on behalf of one request of a client; `signal` ends it. */
  begin(clientKey: string, signal: AbortSignal): ReadCatalog;
}

/** A page size that the registry refused is not requested again. */
export function catalogReader(upstream: Upstream): CatalogReader {
  let known: number | undefined = largestPage;
  return {
    begin(clientKey, signal) {
      // Without a size where the registry refuses all that are tried.
      let most = known;
      return async (n, place) => {
        // A page named by the registry keeps the size of its query.
        const size = most === undefined || place.query !== undefined ? undefined : Math.min(n, most);
        const target =
          place.query === undefined
            ? upstreamTarget({ ...catalog, page: { n: size, last: place.last } })
            : `${listingPath(catalog)}?${place.query}`;
        const response = await upstream.query(
          { method: "GET", target, accept: "application/json", maxBytes: longestBody, clientKey },
          signal,
        );
        if (response.status === 400 && size !== undefined) {
          most = sizes.find((smaller) => smaller < size);
          // Another error may concern this request only.
          if (response.body.includes("PAGINATION_NUMBER_INVALID")) known = most;
          return "too-many";
        }
        if (response.status !== 200) {
          // A registry may not support the catalog, or have it disabled.
          const absent = response.status >= 400 && response.status < 500;
          const reason = `the registry responded with ${response.status} for its catalog`;
          throw new UpstreamFault(absent ? notFound : upstreamUnreachable, reason);
        }
        const repositories = parseRepositories(response.body);
        if (repositories === undefined)
          throw new UpstreamFault(upstreamUnreachable, "the registry's catalog is malformed");
        // A registry that ignores `last` starts again: then the page contains names that were already returned.
        const given = place.after ?? place.last;
        const begin = given === undefined ? 0 : repositories.indexOf(given) + 1;
        return { repositories: repositories.slice(begin), next: nextPlace(response.headers.link) };
      };
    },
  };
}

function nextPlace(link: string | undefined): CatalogPlace | undefined {
  const query = nextQuery(link, listingPath(catalog));
  if (query === undefined) return undefined;
  const last = plainPage(catalog, query)?.page.last;
  return last === undefined ? { query } : { last };
}

function parseRepositories(body: string): readonly string[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || !("repositories" in parsed)) return undefined;
  const { repositories } = parsed;
  if (repositories === null) return [];
  if (!Array.isArray(repositories)) return undefined;
  const names: readonly unknown[] = repositories;
  return names.every((name) => typeof name === "string") ? names : undefined;
}

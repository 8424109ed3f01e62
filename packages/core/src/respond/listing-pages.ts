import type { ResponseHead } from "../forward/transport.ts";
import type { Refusal } from "../route/refusal.ts";
import { isListing, type ListingRoute, type Route } from "../route/route.ts";
import { listingPath, upstreamTarget } from "../route/upstream-target.ts";
import { isSealed, type Sealer } from "../seal/sealer.ts";
import { nextQuery, plainPage, stuck } from "./next-page.ts";
import { isSealedUpload, sealedUploadTarget, uploadUnknown } from "./upload-location.ts";

/** The position was not issued for this listing, or not by this process. */
export const notContinued: Refusal = {
  status: 400,
  code: "PAGINATION_NUMBER_INVALID",
  message: "the list cannot be continued from here: start again",
};

export type Target =
  | { readonly target: string; readonly refusal?: undefined }
  | { readonly target?: undefined; readonly refusal: Refusal };

/**
 * The target for the registry. A sealed page is requested by the query that the registry named.
 *
 * A page is bound to its listing, not to a user: everybody who may pull from the repository sees the same. A sealed
 * upload belongs to its repository and its holder.
 *
 * @param holder The caller, as a key.
 */
export function targetOf(route: Route, holder: string, sealer: Sealer): Target {
  if (isSealedUpload(route)) {
    const target = sealedUploadTarget(route, holder, sealer);
    return target === undefined ? { refusal: uploadUnknown } : { target };
  }
  if (!isListing(route) || !isSealed(route.page.last)) return { target: upstreamTarget(route) };
  const query = sealer.open(route.page.last, contextOf(route));
  if (query === undefined) return { refusal: notContinued };
  return { target: `${listingPath(route)}?${withNamespace(query, route)}` };
}

/** Seals the query by which the registry names the next page of a listing. */
export function sealPage(query: string, route: ListingRoute, sealer: Sealer): string | undefined {
  return sealer.seal(query, contextOf(route));
}

/**
 * Rewrites the `Link` of a listing to a relative reference to the gate; drops it from any other response. A page that
 * standard parameters describe keeps them; any other is sealed in `last`.
 *
 * @param seal Seals the registry's query for `last`.
 * @throws {UpstreamFault} where the registry's next page is invalid.
 */
export function withClientLink(
  head: ResponseHead,
  route: Route,
  seal: (query: string, route: ListingRoute) => string | undefined,
): ResponseHead {
  // Most responses have none, and are not copied.
  if (head.headers.link === undefined) return head;
  const { link, ...headers } = head.headers;
  if (!isListing(route) || head.statusCode !== 200) return { ...head, headers };
  const query = nextQuery(typeof link === "string" ? link : link.join(", "), listingPath(route));
  if (query === undefined) return { ...head, headers };
  const isPlain = plainPage(route, query) !== undefined;
  const target = isPlain ? `${listingPath(route)}?${query}` : sealedTarget(route, seal(query, route));
  return { ...head, headers: { ...headers, link: `<${target}>; rel="next"` } };
}

function sealedTarget(route: ListingRoute, last: string | undefined): string {
  if (last === undefined) throw stuck("the registry's next page cannot be sealed");
  return upstreamTarget({ ...route, page: { n: route.page.n, last } });
}

function contextOf(route: ListingRoute): readonly string[] {
  switch (route.operation) {
    case "list-repositories":
      return [route.operation];
    case "list-tags":
      return [route.operation, route.repository];
    case "list-referrers":
      return [route.operation, route.repository, route.reference];
  }
}

/** The next page of a mirror needs the same `ns`, even if the registry's own link omits it. */
function withNamespace(query: string, route: ListingRoute): string {
  if (route.operation === "list-repositories" || route.namespace === undefined) return query;
  return new URLSearchParams(query).has("ns") ? query : `${query}&ns=${encodeURIComponent(route.namespace)}`;
}

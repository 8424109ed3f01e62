import { UpstreamFault } from "../forward/upstream-fault.ts";
import { parseLinks } from "../grammar/links.ts";
import { parseRoute } from "../route/parse-route.ts";
import { isListing, type ListingRoute } from "../route/route.ts";
import { listingPath, upstreamTarget } from "../route/upstream-target.ts";
import { isSealed } from "../seal/sealer.ts";
import { upstreamUnreachable } from "./responses.ts";

/** The maximum length of the query of a next page, in characters. */
const longestQuery = 4094;
/** The characters of a query (RFC 3986, section 3.4), and those that registries write unencoded. */
const queryPattern = /^[!$-;=?-~]+$/;

/**
 * The query of the next page of a listing, as the registry wrote it in `Link` (RFC 8288). `undefined` on the last page.
 *
 * The scheme and host of the link are ignored, since they may be internal or outdated; the path must be that of the
 * listing, because only that one was authorized.
 *
 * @param path The path of the listing.
 * @throws {UpstreamFault} where the link is invalid or has another path: dropping it would truncate the listing.
 */
export function nextQuery(link: string | undefined, path: string): string | undefined {
  if (link === undefined) return undefined;
  const links = parseLinks(link);
  if (links === undefined) throw stuck("the registry's Link is malformed");
  const next = links.find(({ relations }) => relations.includes("next"));
  if (next === undefined) return undefined;
  const base = `http://registry${path}`;
  const [reference = "", query = ""] = (next.target.split("#", 1)[0] ?? "").split(/\?(.*)/s);
  if (!URL.canParse(reference, base) || decoded(new URL(reference, base).pathname) !== path) {
    throw stuck("the registry's next page belongs to another listing");
  }
  if (query.length > longestQuery || !queryPattern.test(query))
    throw stuck("the registry's next page has no usable query");
  return query;
}

/** The page as standard parameters, such as `last`; `undefined` where the query contains anything else. */
export function plainPage(listing: ListingRoute, query: string): ListingRoute | undefined {
  const { route } = parseRoute("GET", `${listingPath(listing)}?${query}`);
  if (route === undefined || !isListing(route) || isSealed(route.page.last)) return undefined;
  // Known parameters are never repeated: equal counts mean the same parameters.
  const [, written = ""] = upstreamTarget(route).split("?");
  return new URLSearchParams(written).size === new URLSearchParams(query).size ? route : undefined;
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

export function stuck(reason: string): UpstreamFault {
  return new UpstreamFault(upstreamUnreachable, reason);
}

import { UpstreamFault } from "../forward/upstream-fault.ts";
import { parseLinks } from "../grammar/links.ts";
import { parseRoute } from "../route/parse-route.ts";
import { isListing, type ListingRoute } from "../route/route.ts";
import { listingPath, upstreamTarget } from "../route/upstream-target.ts";
import { isSealed } from "../seal/sealer.ts";
import { upstreamUnreachable } from "./responses.ts";

/** The longest query that a registry may name, in characters. */
const longestQuery = 4094;
/** What a query can hold (RFC 3986, section 3.4), and what registries write there without encoding it. */
const queryPattern = /^[!$-;=?-~]+$/;

/**
 * The query by which a registry names the next page of a listing in its `Link` (RFC 8288), just as it was written: it is
 * the registry's own to choose. `undefined` on the last page.
 *
 * The scheme and host of the link do not matter, which may be those of the registry's inner or former name; the path must be
 * that of the listing, because it is the one that was authorised.
 *
 * @param path That of the listing.
 * @throws {UpstreamFault} where it leads elsewhere or cannot be understood: the listing would look whole without it.
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
    throw stuck("the registry's next page is not one of the same listing");
  }
  if (query.length > longestQuery || !queryPattern.test(query))
    throw stuck("the registry's next page has no usable query");
  return query;
}

/**
 * A page that can be asked for by the parameters that every registry knows, such as `last`; `undefined` where the query says
 * anything beyond these, or what would be taken for something else.
 */
export function plainPage(listing: ListingRoute, query: string): ListingRoute | undefined {
  const { route } = parseRoute("GET", `${listingPath(listing)}?${query}`);
  if (route === undefined || !isListing(route) || isSealed(route.page.last)) return undefined;
  // Of what the gate knows, none is repeated: as many parameters are the same ones.
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

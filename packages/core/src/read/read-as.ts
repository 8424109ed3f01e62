import type { Principal } from "@registry-gate/auth";
import { authorize } from "../authorize/authorize.ts";
import type { Policy } from "../authorize/policy.ts";
import type { Upstream } from "../forward/upstream.ts";
import { clientKey } from "../limits/client-key.ts";
import type { VisibleCatalog } from "../query/catalog/visible-catalog.ts";
import { catalogLink } from "../respond/catalog-link.ts";
import { sealPage, targetOf, withClientLink } from "../respond/listing-pages.ts";
import { parseRoute } from "../route/parse-route.ts";
import type { Route } from "../route/route.ts";
import type { Sealer } from "../seal/sealer.ts";

/** What to read from the registry. */
export interface RegistryRead {
  /** Default `GET`. */
  readonly method?: "GET" | "HEAD";
  /** Path and query, as a client would request them, such as `/v2/team/app/tags/list?n=50`. */
  readonly target: string;
  /** Default `*\/*`. */
  readonly accept?: string;
  /** The maximum length of the response's body, in bytes. Default 4 MiB. */
  readonly maxBytes?: number;
}

/** What became of a read. */
export type RegistryReadResult =
  /** The registry's response, whatever its status. Headers by names in lower case; `link` as a client would get it. */
  | {
      readonly outcome: "read";
      readonly status: number;
      readonly headers: Readonly<NodeJS.Dict<string>>;
      readonly body: string;
    }
  /** Neither the rules nor the grants allow it. */
  | { readonly outcome: "denied"; readonly reason: string }
  /** It is nothing that a client could read. */
  | { readonly outcome: "refused"; readonly reason: string };

export interface ReadSources {
  readonly policy: Policy;
  readonly upstream: Upstream;
  readonly catalog: VisibleCatalog;
  readonly sealer: Sealer;
}

const defaultMaxBytes = 4 * 1024 * 1024;
const readable: ReadonlySet<Route["operation"]> = new Set([
  "list-repositories",
  "list-tags",
  "list-referrers",
  "get-manifest",
  "get-blob",
]);

/**
 * Reads from the registry what the principal may read: by the steps by which a client's request is routed, authorized
 * and forwarded.
 *
 * @throws {UpstreamFault} where the registry does not respond as expected. When `signal` aborts, its reason.
 */
export async function readAs(
  { policy, upstream, catalog, sealer }: ReadSources,
  principal: Principal,
  { method = "GET", target, accept = "*/*", maxBytes = defaultMaxBytes }: RegistryRead,
  signal: AbortSignal,
): Promise<RegistryReadResult> {
  const { route: requested, refusal } = parseRoute(method, target);
  if (refusal !== undefined) return { outcome: "refused", reason: refusal.message };
  if (!readable.has(requested.operation)) return { outcome: "refused", reason: `not a read: ${requested.operation}` };
  const plan = authorize(policy, principal, requested);
  if (!plan.allowed) return { outcome: "denied", reason: plan.reason };
  const queueKey = clientKey(principal, undefined);
  if (plan.kind === "filter-catalog") {
    const page = await catalog.page(plan.route.page, plan.visible, principal, queueKey, signal);
    if ("refusal" in page) return { outcome: "refused", reason: page.refusal.message };
    const { repositories, next } = page;
    const headers = next === undefined ? {} : { link: catalogLink(next, plan.route.page) };
    return { outcome: "read", status: 200, headers, body: JSON.stringify({ repositories }) };
  }
  const { route } = plan;
  const { target: upstreamTarget, refusal: notContinued } = targetOf(route, queueKey, sealer);
  if (notContinued !== undefined) return { outcome: "refused", reason: notContinued.message };
  const asked = { method, target: upstreamTarget, accept, maxBytes: method === "HEAD" ? 0 : maxBytes };
  const { status, headers, body } = await upstream.query({ ...asked, clientKey: queueKey }, signal);
  const { link } = withClientLink({ statusCode: status, headers }, route, (query, listing) =>
    listing.operation === "list-repositories" ? catalog.sealPage(query, principal) : sealPage(query, listing, sealer),
  ).headers;
  const { link: _registrys, ...others } = headers;
  return { outcome: "read", status, headers: typeof link === "string" ? { ...others, link } : others, body };
}

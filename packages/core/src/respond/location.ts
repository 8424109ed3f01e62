import type { Client } from "../client/client.ts";

/**
 * Rewrites a `Location` of the registry for the client: one below `/v2/` of the registry itself becomes relative, so
 * that it is valid whatever scheme, host and proxies the client uses (RFC 9110, section 10.2.2). A redirect elsewhere,
 * such as to object storage, is not changed.
 *
 * In a response that is no redirect, `Location` refers to the responding registry, whatever its host.
 */
export function clientLocation(location: string, statusCode: number, upstream: URL, client: Client): string {
  // Without scheme and authority it is relative already.
  if (!/^(?:https?:)?\/\//i.test(location) || !URL.canParse(location, upstream)) return location;
  const url = new URL(location, upstream);
  if (!url.pathname.startsWith("/v2/")) return location;
  const isRedirect = statusCode >= 300 && statusCode < 400;
  return isRedirect && !isOwn(url, upstream, client) ? location : url.pathname + url.search;
}

/** Whether the URL refers to the registry, by its own address or by the host that the client used. */
function isOwn({ host }: URL, upstream: URL, client: Client): boolean {
  const used = client.host.toLowerCase();
  return host === upstream.host || host === used || host === withoutDefaultPort(used);
}

/** `URL` drops the default port of the scheme. */
function withoutDefaultPort(authority: string): string {
  return authority.replace(/:(?:80|443)$/, "");
}

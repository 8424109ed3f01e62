import type { Client } from "../client/client.ts";

/**
 * Makes a `Location` of the registry usable for the client: one below `/v2/` that is the registry's own becomes relative, so
 * that it is right whatever scheme, host and proxies the client has come by (RFC 9110, section 10.2.2). A redirect to
 * elsewhere, such as object storage, is not the gate's and stays untouched.
 *
 * Where a response is no redirect, `Location` is a place in the registry that has responded, whatever host it says.
 */
export function clientLocation(location: string, statusCode: number, upstream: URL, client: Client): string {
  // What has neither scheme nor authority is relative already.
  if (!/^(?:https?:)?\/\//i.test(location) || !URL.canParse(location, upstream)) return location;
  const url = new URL(location, upstream);
  if (!url.pathname.startsWith("/v2/")) return location;
  const isRedirect = statusCode >= 300 && statusCode < 400;
  return isRedirect && !isOwn(url, upstream, client) ? location : url.pathname + url.search;
}

/** Whether the URL names the registry, by its own address or by the host that the client used. */
function isOwn({ host }: URL, upstream: URL, client: Client): boolean {
  const used = client.host.toLowerCase();
  return host === upstream.host || host === used || host === withoutDefaultPort(used);
}

/** URL drops the port that is its scheme's default. */
function withoutDefaultPort(authority: string): string {
  return authority.replace(/:(?:80|443)$/, "");
}

import type { Client } from "../peer.ts";

/**
 * Makes a `Location` of the registry usable for the client. A relative one stays as it is. An absolute one below `/v2/`
 * that names the registry, by its own address or by the host that the client used, gets the client's scheme and
 * authority. Any other, such as a redirect to object storage, is not the gate's and stays untouched.
 */
export function clientLocation(location: string, upstream: URL, client: Client): string {
  if (!/^https?:\/\//i.test(location)) return location;
  if (!URL.canParse(location)) return location;
  const url = new URL(location);
  if (!url.pathname.startsWith("/v2/")) return location;
  const authority = client.host.toLowerCase();
  if (url.host !== upstream.host && url.host !== authority && url.host !== withoutDefaultPort(authority))
    return location;
  return `${client.scheme}://${client.host}${url.pathname}${url.search}`;
}

/** URL drops the port that is its scheme's default. */
function withoutDefaultPort(authority: string): string {
  return authority.replace(/:(?:80|443)$/, "");
}

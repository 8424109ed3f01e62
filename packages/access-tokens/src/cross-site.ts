import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";

/** What Express knows of a request behind the proxies that it trusts. */
interface ExpressRequest {
  readonly protocol?: unknown;
  readonly host?: unknown;
}

/**
 * Why a request may not be served, because a page of another origin has made the browser send it: cross-site request forgery.
 *
 * `Sec-Fetch-Site` (Fetch Metadata Request Headers) cannot be written by a page; browsers that do not send it send `Origin`
 * (RFC 6454, section 7) with whatever changes something. A request that changes something has to have one of them.
 *
 * @param origin Of the app's own pages. Default: the scheme and host of the request.
 */
export function crossSiteFault(request: IncomingMessage, origin: string | undefined): string | undefined {
  const { headers, method } = request;
  const reads = method === "GET" || method === "HEAD";
  const site = headers["sec-fetch-site"];
  if (site !== undefined) {
    // `none` is the user's own doing, such as a bookmark, by which nothing is changed.
    if (site === "same-origin" || (site === "none" && reads)) return undefined;
    return "it was sent by a page of another origin";
  }
  if (headers.origin !== undefined) {
    return headers.origin === (origin ?? ownOrigin(request)) ? undefined : "it was sent by a page of another origin";
  }
  return reads ? undefined : "it has neither Sec-Fetch-Site nor Origin";
}

function ownOrigin(request: IncomingMessage & ExpressRequest): string | undefined {
  const { socket, headers } = request;
  const scheme =
    typeof request.protocol === "string" ? request.protocol : socket instanceof TLSSocket ? "https" : "http";
  const host = typeof request.host === "string" ? request.host : headers.host;
  return host === undefined ? undefined : URL.parse(`${scheme}://${host}`)?.origin;
}

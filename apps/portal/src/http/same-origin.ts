import type { IncomingMessage } from "node:http";
import type { RequestClient } from "@registry-gate/core";

/**
 * Finds that a request may be the work of another origin's page. A page cannot set `Sec-Fetch-Site`; browsers without it, and all
 * on plain HTTP, send `Origin` with every method but GET and HEAD (RFC 6454, section 7).
 *
 * @param client As the portal's users reach it.
 */
export function crossSiteFault(
  request: IncomingMessage,
  { scheme, host }: Pick<RequestClient, "scheme" | "host">,
): string | undefined {
  const { "sec-fetch-site": site, origin } = request.headers;
  if (site !== undefined && site !== "same-origin" && site !== "none") return "it was sent by a page of another origin";
  const own = `${scheme}://${host}`;
  if (origin !== undefined && !(URL.canParse(own) && origin === new URL(own).origin)) {
    return "it was sent by a page of another origin";
  }
  if (site === undefined && origin === undefined) return "it has neither Sec-Fetch-Site nor Origin";
  return undefined;
}

import type { IncomingMessage } from "node:http";
import type { Client } from "../client/client.ts";

/** The origin of the page that sent the request; `unknown` for other clients and old browsers. */
type Page = "own" | "foreign" | "unknown";

/** Pages of other origins that may use the registry. */
export interface AllowedPages {
  /** Whether the `Origin` of the request is one of them. */
  allows(request: IncomingMessage): boolean;
  /** Whether the browser may add credentials to their requests. */
  readonly credentials: boolean;
}

/**
 * Detects cross-site request forgery: requests that a foreign page makes the browser of a user send.
 *
 * No page of another origin may change anything, however the user is authenticated: browsers add client certificates,
 * remembered passwords and cookies of a proxy by themselves. With a session, changes require a request from the app's
 * own origin, and reads must not come from another one.
 *
 * Pages of allowed origins are exempt; with a session, only if their requests may have credentials.
 *
 * @param bySession Whether only the app's session authenticates the user.
 * @returns the reason to refuse the request.
 */
export function crossSiteFault(
  request: IncomingMessage,
  client: Client,
  bySession: boolean,
  allowed: AllowedPages | undefined,
): string | undefined {
  if (allowed?.allows(request) === true && (allowed.credentials || !bySession)) return undefined;
  const page = sendingPage(request.headers, client);
  const reads = request.method === "GET" || request.method === "HEAD";
  if (page === "foreign" && (bySession || !reads)) return "sent by a page of another origin";
  if (page === "unknown" && bySession && !reads) return "in a session, without Sec-Fetch-Site and Origin";
  return undefined;
}

/**
 * A page cannot set `Sec-Fetch-Site` (Fetch Metadata Request Headers). Older browsers, and all on plain HTTP, send only
 * `Origin` (RFC 6454, section 7), with every method except GET and HEAD.
 */
function sendingPage(headers: IncomingMessage["headers"], { scheme, host }: Client): Page {
  const site = headers["sec-fetch-site"];
  // `none`: the user's own action, such as a bookmark, without a page involved.
  if (site !== undefined && site !== "none") return site === "same-origin" ? "own" : "foreign";
  const { origin } = headers;
  if (origin === undefined) return "unknown";
  const own = `${scheme}://${host}`;
  return URL.canParse(own) && origin === new URL(own).origin ? "own" : "foreign";
}

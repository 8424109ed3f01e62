import type { IncomingMessage } from "node:http";
import type { Client } from "../client/client.ts";

/** Where the page is from that made a browser send a request; `unsaid` by what is no browser, or an old one. */
type Page = "own" | "foreign" | "unsaid";

/** Pages of other origins that may use the registry. */
export interface AllowedPages {
  /** Whether the request says that it comes from one of them. */
  allows(request: IncomingMessage): boolean;
  /** Whether they may have the browser add what it knows of the user. */
  readonly credentials: boolean;
}

/**
 * Why a request may not do what it asks, in the name of the user whose browser sent it: cross-site request forgery.
 *
 * Nothing is changed for a page of another origin, however the user is known: a browser adds client certificates,
 * passwords that it remembers and the cookies of a proxy by itself. In the name of a session, what changes something
 * must say that it comes from the app's own origin, and what reads must not come from another.
 *
 * A page of another origin that may use the registry is not foreign. In the name of a session it is, unless it may have
 * the browser add the session.
 *
 * @param bySession Whether the user is known by the app's session alone.
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
  if (page === "unsaid" && bySession && !reads) return "in a session, without Sec-Fetch-Site and Origin";
  return undefined;
}

/**
 * `Sec-Fetch-Site` (Fetch Metadata Request Headers) cannot be written by a page; older browsers, and all on plain HTTP,
 * send `Origin` alone (RFC 6454, section 7) with whatever is not GET or HEAD.
 */
function sendingPage(headers: IncomingMessage["headers"], { scheme, host }: Client): Page {
  const site = headers["sec-fetch-site"];
  // `none` is the user's own doing, such as a bookmark: a page had no part in it.
  if (site !== undefined && site !== "none") return site === "same-origin" ? "own" : "foreign";
  const { origin } = headers;
  if (origin === undefined) return "unsaid";
  const own = `${scheme}://${host}`;
  return URL.canParse(own) && origin === new URL(own).origin ? "own" : "foreign";
}

import type { ServerResponse } from "node:http";

/** Response headers forwarded from the registry, in lower case. `Location` and `Link` are rewritten. */
export const registryHeaders: readonly string[] = [
  "accept-ranges",
  "allow",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "date",
  "docker-content-digest",
  "docker-upload-uuid",
  "etag",
  "expires",
  "last-modified",
  "oci-chunk-max-length",
  "oci-chunk-min-length",
  "oci-filters-applied",
  "oci-namespace",
  "oci-subject",
  "oci-tag",
  "range",
  "retry-after",
  "warning",
];

const owned: ReadonlySet<string> = new Set([
  ...registryHeaders,
  "link",
  "location",
  // Of the representation and of what caches make of it (RFC 9110, section 8; RFC 9111, section 5).
  "age",
  "digest",
  "pragma",
  "repr-digest",
  "surrogate-control",
  // Of the login (RFC 9110, section 11).
  "authentication-info",
  "proxy-authenticate",
  "proxy-authentication-info",
  "www-authenticate",
  // Of the connection (RFC 9110, section 7.6.1).
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Removes headers that an app set, before it called the middleware, but that describe the response: type, length,
 * validators, location, authentication. All others stay, such as security headers, CORS, cookies and rate limits.
 *
 * The app's `Cache-Control: no-store` stays too: a response that must not be stored is never made cacheable.
 */
export function removeOwnedHeaders(response: ServerResponse): void {
  const unstored = isUnstored(response);
  for (const name of response.getHeaderNames()) if (isOwned(name)) response.removeHeader(name);
  if (unstored) response.setHeader("Cache-Control", "no-store");
}

/** Whether only the middleware may set the header `name`, in lower case. */
function isOwned(name: string): boolean {
  if (name.startsWith("content-")) return !name.startsWith("content-security-policy");
  return owned.has(name) || /^(?:docker|oci)-|cache-control$/.test(name);
}

/** Appends to an existing `Vary` (RFC 9110, section 12.5.5). */
export function addVary(response: ServerResponse, value: string): void {
  const said = String(response.getHeader("Vary") ?? "");
  if (!said.includes("*")) response.setHeader("Vary", said === "" ? value : `${said}, ${value}`);
}

/**
 * Keeps a response with a cookie of the app out of shared caches, which would send the cookie to others. Called last,
 * just before the head is sent.
 *
 * Session middleware often sets its cookie in a replaced `writeHead`: then it is not known yet whether there will be
 * one.
 */
export function protectCookies(response: ServerResponse): void {
  if (response.hasHeader("Set-Cookie") || Object.hasOwn(response, "writeHead")) keepPrivate(response);
}

/**
 * Forbids shared caches to store the response, and all caches to reuse it without validation (RFC 9111, section
 * 5.2.2.7).
 */
export function keepPrivate(response: ServerResponse): void {
  if (!isUnstored(response)) response.setHeader("Cache-Control", "private, no-cache");
}

function isUnstored(response: ServerResponse): boolean {
  return /(?:^|[\s,])no-store(?:$|[\s,])/i.test(String(response.getHeader("Cache-Control") ?? ""));
}

import type { ServerResponse } from "node:http";

/** What a registry says in a response of its own, in lower case. `Location` and `Link` are passed on after a look at them. */
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
 * Removes what an app has said, before it called the middleware, about a response that is not the app's: its type, its
 * length, its validators, its place, its login. All else stays, such as security headers, CORS, cookies and rate limits.
 *
 * Of the app's `Cache-Control`, `no-store` stays: what must not be kept by any cache is not made cacheable.
 */
export function removeOwnedHeaders(response: ServerResponse): void {
  const unstored = isUnstored(response);
  for (const name of response.getHeaderNames()) if (isOwned(name)) response.removeHeader(name);
  if (unstored) response.setHeader("Cache-Control", "no-store");
}

/** Whether `name`, in lower case, is the middleware's to say. */
function isOwned(name: string): boolean {
  if (name.startsWith("content-")) return !name.startsWith("content-security-policy");
  return owned.has(name) || /^(?:docker|oci)-|cache-control$/.test(name);
}

/** Adds to the `Vary` that stands there: what either depends on, the response depends on (RFC 9110, section 12.5.5). */
export function addVary(response: ServerResponse, value: string): void {
  const said = String(response.getHeader("Vary") ?? "");
  if (!said.includes("*")) response.setHeader("Vary", said === "" ? value : `${said}, ${value}`);
}

/**
 * Keeps a response with a cookie of the app out of shared caches, which would give the cookie to others. Called last,
 * just before the head is sent.
 *
 * A session is often written at the very last moment, by a `writeHead` that was put in the place of Node's: nobody can
 * tell then whether there will be a cookie.
 */
export function protectCookies(response: ServerResponse): void {
  if (response.hasHeader("Set-Cookie") || Object.hasOwn(response, "writeHead")) keepPrivate(response);
}

/** Lets no shared cache keep the response (RFC 9111, section 5.2.2.7), nor any without asking again. */
export function keepPrivate(response: ServerResponse): void {
  if (!isUnstored(response)) response.setHeader("Cache-Control", "private, no-cache");
}

function isUnstored(response: ServerResponse): boolean {
  return /(?:^|[\s,])no-store(?:$|[\s,])/i.test(String(response.getHeader("Cache-Control") ?? ""));
}

import type { ServerResponse } from "node:http";
import type { Client } from "../client/client.ts";
import type { ResponseHead } from "../forward/transport.ts";
import { writeAddedHeaders } from "./added-headers.ts";
import { addVary, keepPrivate, protectCookies, registryHeaders, removeOwnedHeaders } from "./app-headers.ts";
import { apiVersion } from "./error-response.ts";
import { clientLocation } from "./location.ts";

/** Headers about the host as a whole: forwarded only where the app has not set them. */
const hostHeaders: readonly string[] = ["strict-transport-security", "x-content-type-options"];

/** Rate limit headers of all versions of the IETF draft. Those of two limits are never mixed. */
const rateLimitHeaders: readonly string[] = [
  "ratelimit",
  "ratelimit-limit",
  "ratelimit-policy",
  "ratelimit-remaining",
  "ratelimit-reset",
];

const passed: readonly string[] = [...registryHeaders, ...hostHeaders];
const passedWithLimits: readonly string[] = [...passed, ...rateLimitHeaders];

/** All response headers that a page of another origin may read. */
export const readableHeaders: readonly string[] = [
  ...passedWithLimits,
  apiVersion[0].toLowerCase(),
  "link",
  "location",
  "vary",
  "www-authenticate",
  "x-request-id",
];

/** A header value that may be forwarded to a client (RFC 9110, section 5.5, without obs-text). */
const printable = /^[\t\x20-\x7e]*$/;

/** Writes the head of the registry's response: headers by allow-list, the API version once, `Location` made relative. */
export function writeHead(
  { statusCode, headers }: ResponseHead,
  response: ServerResponse,
  upstream: URL,
  client: Client,
): void {
  response.statusCode = statusCode;
  removeOwnedHeaders(response);
  const limitedByApp = rateLimitHeaders.some((name) => response.hasHeader(name));
  for (const name of limitedByApp ? passed : passedWithLimits) {
    const value = headers[name];
    if (value !== undefined && isPrintable(value) && !response.hasHeader(name)) response.setHeader(name, value);
  }
  if (typeof headers.vary === "string" && isPrintable(headers.vary)) addVary(response, headers.vary);
  if (typeof headers.link === "string" && isPrintable(headers.link)) response.setHeader("Link", headers.link);
  if (typeof headers.location === "string" && isPrintable(headers.location))
    response.setHeader("Location", clientLocation(headers.location, statusCode, upstream, client));
  response.setHeader(...apiVersion);
  writeAddedHeaders(response);
  protectCookies(response);
}

function isPrintable(value: string | string[]): boolean {
  return typeof value === "string" ? printable.test(value) : value.every((line) => printable.test(line));
}

/**
 * Protects the app's origin from the content of a response to a session: the browser must not treat it as a page of the
 * app, and no shared cache may store it, which RFC 9111, section 3.5, forbids only for requests with `Authorization`.
 */
export function sandboxResponse(response: ServerResponse): void {
  keepPrivate(response);
  response.setHeader("Content-Security-Policy", "sandbox; default-src 'none'");
  response.setHeader("X-Content-Type-Options", "nosniff");
}

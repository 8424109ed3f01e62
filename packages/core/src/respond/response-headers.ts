import type { ServerResponse } from "node:http";
import type { Client } from "../client/client.ts";
import type { ResponseHead } from "../forward/transport.ts";
import { writeAddedHeaders } from "./added-headers.ts";
import { addVary, keepPrivate, protectCookies, registryHeaders, removeOwnedHeaders } from "./app-headers.ts";
import { apiVersion } from "./error-response.ts";
import { clientLocation } from "./location.ts";
import { requestIdHeader } from "./request-id.ts";

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

/**
 * Writes the head of the registry's response: headers by allow-list, the API version once, `Location` made relative.
 * Headers that an app has set stay where they do not describe the response.
 */
export function writeHead(head: ResponseHead, response: ServerResponse, upstream: URL, client: Client): void {
  response.statusCode = head.statusCode;
  removeOwnedHeaders(response);
  const limitedByApp = rateLimitHeaders.some((name) => response.hasHeader(name));
  const lines = forwardedHeaders([], head, upstream, client, limitedByApp);
  for (let index = 0; index < lines.length; index += 2) {
    const [name, value] = [String(lines[index]), lines[index + 1] ?? ""];
    if (name === "Vary") addVary(response, String(value));
    else if (fromGate.has(name) || !response.hasHeader(name)) response.setHeader(name, value);
  }
  writeAddedHeaders(response);
  protectCookies(response);
}

/**
 * Writes the same head for a response to which nobody else adds anything, in one step: `setHeader` validates each header anew
 * and keeps it for those who may ask.
 */
export function writeHeadAlone(
  head: ResponseHead,
  response: ServerResponse,
  upstream: URL,
  client: Client,
  requestId: string,
): void {
  const lines = forwardedHeaders([requestIdHeader, requestId], head, upstream, client, false);
  response.writeHead(head.statusCode, lines);
}

/** Headers that are the gate's own, or that it has made of the registry's. */
const fromGate: ReadonlySet<string> = new Set(["Link", "Location", apiVersion[0]]);

/** Names and values in turn, as `writeHead` takes them. */
type HeaderLines = (string | string[])[];

/**
 * Adds the headers for the client to `lines`.
 *
 * @param limitedByApp Whether the app has set rate limit headers.
 */
function forwardedHeaders(
  lines: HeaderLines,
  { statusCode, headers }: ResponseHead,
  upstream: URL,
  client: Client,
  limitedByApp: boolean,
): HeaderLines {
  for (const name of limitedByApp ? passed : passedWithLimits) {
    const value = headers[name];
    // With a length, some clients would take the beginning of the next response for a body (RFC 9110, section 8.6).
    if (statusCode === 204 && name === "content-length") continue;
    if (value !== undefined && isPrintable(value)) lines.push(name, value);
  }
  const { vary, link, location } = headers;
  if (typeof vary === "string" && isPrintable(vary)) lines.push("Vary", vary);
  if (typeof link === "string" && isPrintable(link)) lines.push("Link", link);
  if (typeof location === "string" && isPrintable(location)) {
    lines.push("Location", clientLocation(location, statusCode, upstream, client));
  }
  lines.push(...apiVersion);
  return lines;
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

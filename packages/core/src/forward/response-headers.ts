import type { ServerResponse } from "node:http";
import { apiVersion } from "../answer/error-answer.ts";
import type { Client } from "../peer.ts";
import type { UpstreamAnswer } from "./exchange.ts";
import { clientLocation } from "./location.ts";

/** What a registry has to say to its client. */
const passed: readonly string[] = [
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
  "link",
  "oci-chunk-max-length",
  "oci-chunk-min-length",
  "oci-filters-applied",
  "oci-subject",
  "oci-tag",
  "range",
  "retry-after",
  "vary",
  "warning",
  "www-authenticate",
  "x-content-type-options",
];

/** Writes the head of the registry's answer: the headers by allow-list, the API version once, `Location` made usable. */
export function writeHead(
  upstreamAnswer: UpstreamAnswer,
  response: ServerResponse,
  upstream: URL,
  client: Client,
): void {
  response.statusCode = upstreamAnswer.statusCode ?? 502;
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  const { headers } = upstreamAnswer;
  for (const name of passed) {
    const value = headers[name];
    if (value !== undefined) response.setHeader(name, value);
  }
  if (typeof headers.location === "string")
    response.setHeader("Location", clientLocation(headers.location, upstream, client));
  response.setHeader(...apiVersion);
}

/**
 * Keeps an answer that rests on a session from harming the app whose origin it shares: whatever somebody pushed is no
 * page there, and no cache in between may hand it on, as it may where a cookie took the place of `Authorization`
 * (RFC 9111, section 3.5).
 */
export function confine(response: ServerResponse): void {
  response.setHeader("Cache-Control", "private, no-cache");
  response.setHeader("Content-Security-Policy", "sandbox; default-src 'none'");
  response.setHeader("X-Content-Type-Options", "nosniff");
}

import type { ServerResponse } from "node:http";
import { writeAddedHeaders } from "../answer/added-headers.ts";
import { apiVersion } from "../answer/error-answer.ts";
import type { Client } from "../peer.ts";
import { clientLocation } from "./location.ts";
import type { ResponseHead } from "./transport.ts";

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

/** All that a page of another origin may read of a response: whatever the registry or the gate may say in one. */
export const readableHeaders: readonly string[] = [...passed, apiVersion[0].toLowerCase(), "location", "x-request-id"];

/** All that a header's value may hold on its way to a client (RFC 9110, section 5.5, without obs-text). */
const printable = /^[\t\x20-\x7e]*$/;

/** Writes the head of the registry's response: headers by allow-list, the API version once, `Location` made usable. */
export function writeHead(
  { statusCode, headers }: ResponseHead,
  response: ServerResponse,
  upstream: URL,
  client: Client,
): void {
  response.statusCode = statusCode;
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  for (const name of passed) {
    const value = headers[name];
    if (value !== undefined && isPrintable(value)) response.setHeader(name, value);
  }
  if (typeof headers.location === "string" && isPrintable(headers.location))
    response.setHeader("Location", clientLocation(headers.location, upstream, client));
  response.setHeader(...apiVersion);
  writeAddedHeaders(response);
}

function isPrintable(value: string | string[]): boolean {
  return typeof value === "string" ? printable.test(value) : value.every((line) => printable.test(line));
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

import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Client } from "../peer.ts";

/**
 * What a registry's client has to say to a registry. Everything else stays here: credentials, cookies, hop-by-hop
 * headers, method overrides, identity headers, and whatever is not known.
 */
const passed: readonly string[] = [
  "accept",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "content-length",
  "content-range",
  "content-type",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "pragma",
  "range",
  "traceparent",
  "tracestate",
  "user-agent",
  "x-request-id",
];

/**
 * Builds the headers for the upstream from an empty set.
 *
 * The framing is never copied: a body of known length keeps its length, any other is sent in chunks of our own making,
 * which keeps the upstream connection alive.
 *
 * @param credentialHeaders Read by a backend, and so not for the registry, in lower case.
 * @param withBody Without a body its type says nothing, and might make the registry look for a form.
 */
export function upstreamHeaders(
  request: IncomingMessage,
  client: Client,
  credentialHeaders: ReadonlySet<string>,
  withBody: boolean,
): OutgoingHttpHeaders & IncomingHttpHeaders {
  const { headers } = request;
  const built: OutgoingHttpHeaders & IncomingHttpHeaders = { host: headers.host };
  for (const name of passed) {
    const value = headers[name];
    if (value !== undefined && !credentialHeaders.has(name)) built[name] = value;
  }
  if (!withBody) {
    delete built["content-type"];
    if (takesBody(request.method)) built["content-length"] = "0";
  }
  if (client.realAddress !== undefined) built["x-real-ip"] = client.realAddress;
  if (client.forwardedFor !== "") built["x-forwarded-for"] = client.forwardedFor;
  built["x-forwarded-proto"] = client.scheme;
  if (client.forwardedHost !== undefined) built["x-forwarded-host"] = client.forwardedHost;
  return built;
}

/** The methods whose requests a registry reads a body from. */
export function takesBody(method: string | undefined): boolean {
  return method === "POST" || method === "PUT" || method === "PATCH";
}

/** Whether the request has a body, by its framing (RFC 9112, section 6.3). */
export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers["content-length"];
  return request.headers["transfer-encoding"] !== undefined || (length !== undefined && Number(length) > 0);
}

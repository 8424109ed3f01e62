import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Client } from "../client/client.ts";
import { authority } from "../grammar/authority.ts";
import type { Refusal } from "../route/refusal.ts";
import type { Operation } from "../route/route.ts";
import { forwardedHeaders } from "./forwarded-headers.ts";

type UpstreamHeaders = OutgoingHttpHeaders & IncomingHttpHeaders;

/**
 * Builds the headers for the upstream from an empty set: what the operation needs, each value written anew from what
 * its grammar found in it, so that the registry reads what was read here. Every value is ASCII.
 *
 * The framing is never copied: a body of known length keeps its length, any other is sent in chunks of our own making,
 * which keeps the upstream connection alive.
 *
 * @param request Found fit by `requestFault`.
 * @param credentialHeaders Read by a backend, and so not for the registry, in lower case.
 */
export function upstreamHeaders(
  request: IncomingMessage,
  client: Client,
  credentialHeaders: ReadonlySet<string>,
  operation: Operation,
):
  | { readonly headers: UpstreamHeaders; readonly refusal?: undefined }
  | { readonly headers?: undefined; readonly refusal: Refusal } {
  const { headers } = request;
  const withBody = hasBody(request);
  const built: UpstreamHeaders = { host: authority(headers.host ?? "") };
  for (const { name, grammar, refusal, ofBody, otherwise } of forwardedHeaders[operation]) {
    if ((ofBody && !withBody) || credentialHeaders.has(name)) continue;
    const value = headers[name];
    if (value === undefined || value === "") {
      if (otherwise !== undefined) built[name] = otherwise;
      continue;
    }
    // Only Set-Cookie comes as a list, and it is never asked for.
    const written = typeof value === "string" ? grammar(value) : undefined;
    if (written !== undefined) built[name] = written;
    else if (refusal !== undefined) return { refusal };
  }
  // A state without the trace that it belongs to means nothing (W3C Trace Context, section 4.3).
  if (built.tracestate !== undefined && built.traceparent === undefined) delete built.tracestate;

  if (takesBody(request.method)) {
    const length = headers["content-length"];
    if (!withBody) built["content-length"] = "0";
    else if (length !== undefined) built["content-length"] = length;
  }
  if (client.realAddress !== undefined) built["x-real-ip"] = client.realAddress;
  if (client.forwardedFor !== "") built["x-forwarded-for"] = client.forwardedFor;
  built["x-forwarded-proto"] = client.scheme;
  if (client.forwardedHost !== undefined) built["x-forwarded-host"] = client.forwardedHost;
  return { headers: built };
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

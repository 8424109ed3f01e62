import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Client } from "../client/client.ts";
import { authority } from "../grammar/authority.ts";
import type { Refusal } from "../route/refusal.ts";
import type { Operation } from "../route/route.ts";
import { forwardedHeaders } from "./forwarded-headers.ts";

type UpstreamHeaders = OutgoingHttpHeaders & IncomingHttpHeaders;

/**
 * Builds the headers for the upstream from an empty set: those that the operation needs, each value written anew by its
 * grammar, so that the registry parses what was parsed here. Every value is ASCII.
 *
 * The framing is never copied: a body of known length keeps its length, any other is sent in new chunks, which keeps
 * the upstream connection alive.
 *
 * @param request Without a `requestFault`.
 * @param credentialHeaders Headers that a backend reads, in lower case: they are not forwarded.
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
    // Only Set-Cookie is a list, and it is never forwarded.
    const written = typeof value === "string" ? grammar(value) : undefined;
    if (written !== undefined) built[name] = written;
    else if (refusal !== undefined) return { refusal };
  }
  // A state without its trace has no meaning (W3C Trace Context, section 4.3).
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

/** Whether requests of the method may have a body. */
export function takesBody(method: string | undefined): boolean {
  return method === "POST" || method === "PUT" || method === "PATCH";
}

/** Whether the request has a body, by its framing (RFC 9112, section 6.3). */
export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers["content-length"];
  return request.headers["transfer-encoding"] !== undefined || (length !== undefined && Number(length) > 0);
}

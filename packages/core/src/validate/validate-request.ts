import type { IncomingMessage } from "node:http";
import { hasBody, takesBody } from "../forward/request-headers.ts";
import { authority } from "../grammar/authority.ts";
import { contentType, isForm } from "../grammar/content-type.ts";
import { type Refusal, RefusedError, refuse } from "../route/refusal.ts";
import { expectsUnknown } from "./expectation.ts";

/**
 * Headers of which Node keeps the first and drops the rest. Duplicates are ambiguous: implementations disagree on which
 * one wins. Duplicates of any other header come joined by a comma, for its grammar to judge.
 */
const singular: ReadonlySet<string> = new Set([
  "authorization",
  "content-length",
  "content-type",
  "host",
  "if-modified-since",
  "if-unmodified-since",
]);
/** Far more than any client sends, and far below the limit of Node, beyond which some versions leave headers out. */
const mostHeaders = 128;
/** A length up to a petabyte that nobody takes for an octal number. */
const plainLength = /^(?:0|[1-9]\d{0,15})$/;
/**
 * Docker before 1.6 did not send a user agent of its own on every request, and cannot speak to a v2 registry.
 * The expression is the one of Docker's nginx recipe.
 */
const oldAgent = /^(?:docker\/1\.(?:3|4|5(?!\.[0-9]-dev))|Go )/;

/** Whether the agent is one that the recipe turns away with 404. */
export function isOldAgent(agent: string | undefined): boolean {
  return agent !== undefined && oldAgent.test(agent);
}

/**
 * What makes a request unfit to be judged, whatever its path is. Duplicates are judged from the raw headers, because
 * Node joins or drops them.
 *
 * @param credentialHeaders Further headers that must not stand twice, in lower case.
 * @param takesForm Whether the body may be a form, which no registry takes.
 */
export function requestFault(
  request: IncomingMessage,
  credentialHeaders: ReadonlySet<string>,
  takesForm = false,
): Refusal | undefined {
  try {
    checkRequest(request, credentialHeaders, takesForm);
    return undefined;
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    throw error;
  }
}

function checkRequest(request: IncomingMessage, credentialHeaders: ReadonlySet<string>, takesForm: boolean): void {
  const { headers, rawHeaders } = request;
  if (rawHeaders.length > 2 * mostHeaders) refuse(431, "UNSUPPORTED", "the request has too many headers");
  if (request.httpVersion !== "1.1" && request.httpVersion !== "1.0") {
    refuse(505, "UNSUPPORTED", "this version of HTTP is not spoken here");
  }
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? "";
    if (!singular.has(name) && !credentialHeaders.has(name)) {
      if (credentialHeaders.size > 0) refuseLookAlike(name, credentialHeaders);
      continue;
    }
    if (seen.has(name)) refuse(400, "UNSUPPORTED", `the header ${name} stands twice`);
    seen.add(name);
  }
  if (headers.host === undefined || authority(headers.host) === undefined) {
    refuse(400, "UNSUPPORTED", "the Host header is missing or malformed");
  }
  if (expectsUnknown(request)) refuse(417, "UNSUPPORTED", "the header expect asks for something unknown");
  const length = headers["content-length"];
  if (length !== undefined && !plainLength.test(length)) refuse(400, "UNSUPPORTED", "the body's length is malformed");
  const coding = headers["transfer-encoding"];
  if (coding !== undefined) {
    // HTTP/1.0 knows no chunks: whoever sends them there may mean something else by the end of the body (RFC 9112, 6.1).
    const known = coding.toLowerCase() === "chunked" && request.httpVersion !== "1.0";
    if (!known || length !== undefined) {
      refuse(400, "UNSUPPORTED", "the body's framing is ambiguous");
    }
  }
  if (hasBody(request)) checkBody(request, takesForm);
}

function checkBody({ method, headers }: IncomingMessage, takesForm: boolean): void {
  if (!takesBody(method)) refuse(400, "UNSUPPORTED", "this method takes no body");
  const type = headers["content-type"] ?? "";
  if (takesForm && isForm(type)) return;
  if (type !== "" && contentType(type) === undefined) {
    refuse(415, "UNSUPPORTED", isForm(type) ? "a registry takes no form" : "the media type of the body is malformed");
  }
}

/** What stands between us and the client may take `Remote_User` or `Remote.User` for `Remote-User`. */
function refuseLookAlike(name: string, credentialHeaders: ReadonlySet<string>): void {
  if (!/[^a-z0-9-]/.test(name)) return;
  const folded = fold(name);
  for (const header of credentialHeaders) {
    if (fold(header) === folded) refuse(400, "UNSUPPORTED", `a header looks like ${header} and is not`);
  }
}

function fold(name: string): string {
  return name.replace(/[^a-z0-9]/g, "-");
}

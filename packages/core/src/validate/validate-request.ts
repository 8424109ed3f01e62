import type { IncomingMessage } from "node:http";
import { hasBody, takesBody } from "../forward/request-headers.ts";
import { authority } from "../grammar/authority.ts";
import { contentType, isForm } from "../grammar/content-type.ts";
import { type Refusal, RefusedError, refuse } from "../route/refusal.ts";
import { expectsUnknown } from "./expectation.ts";

/**
 * Headers of which Node keeps the first and drops the rest. Duplicates are ambiguous: implementations disagree on which
 * one wins. Duplicates of any other header are joined with commas, and validated by its grammar.
 */
const singular: ReadonlySet<string> = new Set([
  "authorization",
  "content-length",
  "content-type",
  "host",
  "if-modified-since",
  "if-unmodified-since",
]);
/** Far more than any client sends, and far below Node's own limit, beyond which some versions drop headers. */
const mostHeaders = 128;
/** A length up to a petabyte, without the leading zeros of an octal number. */
const plainLength = /^(?:0|[1-9]\d{0,15})$/;
/**
 * Docker before 1.6 did not send its own user agent on every request, and does not support the v2 API. The expression
 * is the one of Docker's nginx recipe.
 */
const oldAgent = /^(?:docker\/1\.(?:3|4|5(?!\.[0-9]-dev))|Go )/;

/** Whether Docker's nginx recipe responds to the user agent with 404. */
export function isOldAgent(agent: string | undefined): boolean {
  return agent !== undefined && oldAgent.test(agent);
}

/**
 * Finds the reason to refuse a request before its path is parsed. Duplicates are found in the raw headers, because Node
 * joins or drops them.
 *
 * @param credentialHeaders Further headers that must not be duplicated, in lower case.
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
    refuse(505, "UNSUPPORTED", "unsupported HTTP version");
  }
  const meaningOf = meanings(credentialHeaders);
  const seen: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const { name, resembles } = meaningOf(rawHeaders[index] ?? "");
    if (resembles !== undefined) refuse(400, "UNSUPPORTED", `a header name resembles ${resembles}`);
    if (name === undefined) continue;
    if (seen.includes(name)) refuse(400, "UNSUPPORTED", `duplicate ${name} header`);
    seen.push(name);
  }
  if (headers.host === undefined || authority(headers.host) === undefined) {
    refuse(400, "UNSUPPORTED", "the Host header is missing or malformed");
  }
  if (expectsUnknown(request)) refuse(417, "UNSUPPORTED", "unsupported expectation in the Expect header");
  const length = headers["content-length"];
  if (length !== undefined && !plainLength.test(length)) refuse(400, "UNSUPPORTED", "the body's length is malformed");
  const coding = headers["transfer-encoding"];
  if (coding !== undefined) {
    // HTTP/1.0 has no chunked coding: intermediaries may disagree on where the body ends (RFC 9112, section 6.1).
    const known = coding.toLowerCase() === "chunked" && request.httpVersion !== "1.0";
    if (!known || length !== undefined) {
      refuse(400, "UNSUPPORTED", "the body's framing is ambiguous");
    }
  }
  if (hasBody(request)) checkBody(request, takesForm);
}

function checkBody({ method, headers }: IncomingMessage, takesForm: boolean): void {
  if (!takesBody(method)) refuse(400, "UNSUPPORTED", "this method does not allow a body");
  const type = headers["content-type"] ?? "";
  if (takesForm && isForm(type)) return;
  if (type !== "" && contentType(type) === undefined) {
    refuse(
      415,
      "UNSUPPORTED",
      isForm(type) ? "a registry accepts no forms" : "the media type of the body is malformed",
    );
  }
}

/** What the name of a header means for the validation. */
interface Meaning {
  /** In lower case, where it must not be duplicated. */
  readonly name?: string;
  /** The credential header that intermediaries may take it for. */
  readonly resembles?: string;
}

const irrelevant: Meaning = {};
/** Clients send a few names, each in one spelling: they are looked up as they came. */
const mostMeanings = 256;
const longestName = 64;
const tables = new WeakMap<ReadonlySet<string>, (name: string) => Meaning>();

function meanings(credentialHeaders: ReadonlySet<string>): (name: string) => Meaning {
  const before = tables.get(credentialHeaders);
  if (before !== undefined) return before;
  const byName = new Map<string, Meaning>();
  const made = (given: string): Meaning => {
    const remembered = byName.get(given);
    if (remembered !== undefined) return remembered;
    const meaning = meaningOf(given.toLowerCase(), credentialHeaders);
    if (byName.size >= mostMeanings) byName.clear();
    if (given.length <= longestName) byName.set(given, meaning);
    return meaning;
  };
  tables.set(credentialHeaders, made);
  return made;
}

function meaningOf(name: string, credentialHeaders: ReadonlySet<string>): Meaning {
  if (singular.has(name) || credentialHeaders.has(name)) return { name };
  const resembles = lookAlike(name, credentialHeaders);
  return resembles === undefined ? irrelevant : { resembles };
}

/** Intermediaries may treat `Remote_User` or `Remote.User` as `Remote-User`. */
function lookAlike(name: string, credentialHeaders: ReadonlySet<string>): string | undefined {
  if (!/[^a-z0-9-]/.test(name)) return undefined;
  const folded = fold(name);
  for (const header of credentialHeaders) if (fold(header) === folded) return header;
  return undefined;
}

function fold(name: string): string {
  return name.replace(/[^a-z0-9]/g, "-");
}

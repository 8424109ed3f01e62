import type { OutgoingHttpHeaders } from "node:http";
import type { UpstreamRequest } from "../transport.ts";

/** A request as it is sent. */
export interface FramedRequest {
  readonly method: string;
  /** The head with the empty line at its end. */
  readonly head: string;
  /** The framing of the body: its length in bytes, or chunks; `undefined` without a body. */
  readonly framing: number | "chunked" | undefined;
}

/** The methods of the registry's API. */
const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
/** The characters of a header value (RFC 9110, section 5.5, without obs-text) and of a request target. */
const fieldValue = /^[\t\x20-\x7e]*$/;
const requestTarget = /^\/[!-~]*$/;
/** Every number of so many digits is exact. */
const lengthPattern = /^\d{1,15}$/;

/** Whether {@link requestHead} can format the request: its method is of the registry's API, and its length is exact. */
export function isFramable({ method, headers }: UpstreamRequest): boolean {
  const length = headers["content-length"];
  return methods.has(method) && (length === undefined || lengthPattern.test(String(length)));
}

/**
 * Formats the head of a request. The framing is always that of the gate: the length of a body whose length is known, or
 * chunks (RFC 9112, section 6), and never both.
 *
 * @throws {TypeError} where a part of it is ambiguous.
 */
export function requestHead({ method, target, headers, body }: UpstreamRequest): FramedRequest {
  if (!methods.has(method)) throw new TypeError("the method is not of the registry's API");
  if (!requestTarget.test(target)) throw new TypeError("the request target is malformed");
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    const text = textOf(value);
    if (!fieldValue.test(text)) throw new TypeError(`the header ${name} is malformed`);
    head += `${name}: ${text}\r\n`;
  }
  const framing = framingOf(headers, body !== undefined);
  return { method, head: framing === "chunked" ? `${head}transfer-encoding: chunked\r\n\r\n` : `${head}\r\n`, framing };
}

function textOf(value: NonNullable<OutgoingHttpHeaders[string]>): string {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function framingOf(headers: OutgoingHttpHeaders, hasBody: boolean): FramedRequest["framing"] {
  if (headers["transfer-encoding"] !== undefined) throw new TypeError("the framing is not the gate's");
  const length = headers["content-length"];
  if (length === undefined) return hasBody ? "chunked" : undefined;
  const text = String(length);
  if (!lengthPattern.test(text)) throw new TypeError("the length is malformed");
  const bytes = Number(text);
  if (hasBody) return bytes;
  // The registry would wait for a body, and take the next request for it.
  if (bytes > 0) throw new TypeError("the body is missing");
  return undefined;
}

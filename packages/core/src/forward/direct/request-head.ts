import type { OutgoingHttpHeaders } from "node:http";

/** The characters of a header value (RFC 9110, section 5.5, without obs-text) and of a request target. */
const fieldValue = /^[\t\x20-\x7e]*$/;
const requestTarget = /^\/[!-~]*$/;

/**
 * Formats the head of a request without a body.
 *
 * @param headers With names chosen by the gate.
 * @throws {TypeError} where a part of it is ambiguous.
 */
export function requestHead(method: "GET" | "HEAD", target: string, headers: OutgoingHttpHeaders): string {
  if (!requestTarget.test(target)) throw new TypeError("the request target is malformed");
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    const text = typeof value === "string" ? value : String(value);
    if (!fieldValue.test(text)) throw new TypeError(`the header ${name} is malformed`);
    head += `${name}: ${text}\r\n`;
  }
  return `${head}\r\n`;
}

import type { OutgoingHttpHeaders } from "node:http";

/** What a header's value may hold (RFC 9110, section 5.5, without obs-text), and what a request target may. */
const fieldValue = /^[\t\x20-\x7e]*$/;
const requestTarget = /^\/[!-~]*$/;

/**
 * Writes the head of a request without a body.
 *
 * @param headers With names that are the gate's own.
 * @throws {TypeError} where anything in it could be read as something else.
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

/** The registry's response is invalid or ambiguous HTTP/1. */
export class MalformedResponseError extends Error {
  override readonly name = "MalformedResponseError";
}

/** The parsed head of an HTTP/1 response. */
export interface ParsedHead {
  /** The minor version of HTTP/1. */
  readonly minor: 0 | 1;
  readonly statusCode: number;
  /** By names in lower case. The first of duplicate fields that allow one value only; others are joined with commas. */
  readonly headers: NodeJS.Dict<string>;
}

const statusLine = /^HTTP\/1\.[01] [1-5]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const fieldLine = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;

/** Names as registries write them, in lower case: a look-up takes less time than writing them anew. */
const inLowerCase: ReadonlyMap<string, string> = new Map(
  [
    "Accept-Ranges",
    "Cache-Control",
    "Connection",
    "Content-Length",
    "Content-Type",
    "Date",
    "Docker-Content-Digest",
    "Docker-Distribution-Api-Version",
    "Etag",
    "Last-Modified",
    "Location",
    "Server",
    "Vary",
    "X-Content-Type-Options",
  ].map((name) => [name, name.toLowerCase()]),
);

/** Fields that frame the body. Duplicates are ambiguous: implementations disagree on which one wins. */
const framing: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);
/** Fields of which Node, too, keeps the first. */
const single: ReadonlySet<string> = new Set([
  "age",
  "content-type",
  "etag",
  "expires",
  "last-modified",
  "location",
  "retry-after",
  "server",
]);

/**
 * Parses the head of a response (RFC 9112, sections 4 and 5): no folded lines, no space before a colon, no control
 * character, and only CR LF line endings.
 *
 * @param text Without the empty line at its end, as Latin-1.
 * @throws {MalformedResponseError}
 */
export function parseHead(text: string): ParsedHead {
  let end = endOfLine(text, 0);
  const status = text.slice(0, end);
  if (!statusLine.test(status)) throw new MalformedResponseError("the status line is malformed");
  const headers: NodeJS.Dict<string> = Object.create(null);
  while (end < text.length) {
    const start = end + 2;
    end = endOfLine(text, start);
    const line = text.slice(start, end);
    if (!fieldLine.test(line)) throw new MalformedResponseError("a header is malformed");
    const colon = line.indexOf(":");
    const written = line.slice(0, colon);
    const name = inLowerCase.get(written) ?? written.toLowerCase();
    const value = trimBlanks(line, colon + 1);
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (framing.has(name)) throw new MalformedResponseError(`duplicate ${name} header`);
    else if (!single.has(name)) headers[name] = `${before}, ${value}`;
  }
  // As the pattern has them: `HTTP/1.1 200`.
  return { minor: status[7] === "1" ? 1 : 0, statusCode: Number(status.slice(9, 12)), headers };
}

/** Where the line that begins at `start` ends; the last one has no CR LF. */
function endOfLine(text: string, start: number): number {
  const end = text.indexOf("\r\n", start);
  return end === -1 ? text.length : end;
}

/** `String.prototype.trim` removes more than spaces and tabs. */
function trimBlanks(text: string, from: number): string {
  let start = from;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

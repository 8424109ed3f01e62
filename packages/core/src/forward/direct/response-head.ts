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

const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const fieldName = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

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
  const lines = text.split("\r\n");
  const status = statusLine.exec(lines[0] ?? "");
  if (status === null) throw new MalformedResponseError("the status line is malformed");
  const headers: NodeJS.Dict<string> = Object.create(null);
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index] ?? "";
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = trimBlanks(line.slice(colon + 1));
    if (colon < 1 || !fieldName.test(name) || !fieldValue.test(value)) {
      throw new MalformedResponseError("a header is malformed");
    }
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (framing.has(name)) throw new MalformedResponseError(`duplicate ${name} header`);
    else if (!single.has(name)) headers[name] = `${before}, ${value}`;
  }
  return { minor: status[1] === "1" ? 1 : 0, statusCode: Number(status[2]), headers };
}

/** `String.prototype.trim` removes more than spaces and tabs. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** One element of a BER encoding (X.690): a tag and the place of its contents. */
export interface Element {
  readonly tag: number;
  /** Where the contents begin. */
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

/**
 * Reads the head of an element.
 *
 * @returns `undefined` while the head is not complete; `"malformed"` for what LDAP does not allow (RFC 4511, section
 * 5.1): lengths of the indefinite form, and tags of several bytes. The element may end beyond the bytes at hand.
 */
export function readHead(bytes: Uint8Array, offset: number): Element | "malformed" | undefined {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined) return undefined;
  if ((tag & 0x1f) === 0x1f) return "malformed";
  if (first === undefined) return undefined;
  if (first < 0x80) return { tag, start: offset + 2, end: offset + 2 + first };
  const count = first & 0x7f;
  if (count === 0 || count > 4) return "malformed";
  let length = 0;
  for (let index = 0; index < count; index++) {
    const byte = bytes[offset + 2 + index];
    if (byte === undefined) return undefined;
    length = length * 256 + byte;
  }
  return { tag, start: offset + 2 + count, end: offset + 2 + count + length };
}

/** The element at `offset` where it lies wholly before `end`. */
export function readElement(bytes: Uint8Array, offset: number, end: number): Element | undefined {
  const element = readHead(bytes, offset);
  return element === undefined || element === "malformed" || element.end > end ? undefined : element;
}

const DEEPEST = 16;

/** Whether the bytes from `start` to `end` are elements that fill it exactly, and so on within each constructed one. */
export function isWellFormed(bytes: Uint8Array, start: number, end: number, depth = 0): boolean {
  if (depth > DEEPEST) return false;
  let offset = start;
  while (offset < end) {
    const element = readElement(bytes, offset, end);
    if (element === undefined) return false;
    const constructed = (element.tag & 0x20) !== 0;
    if (constructed && !isWellFormed(bytes, element.start, element.end, depth + 1)) return false;
    offset = element.end;
  }
  return offset === end;
}

/** A small whole number: an INTEGER or ENUMERATED of at most four bytes that is not negative. */
export function readNumber(bytes: Uint8Array, { start, end }: Element): number | undefined {
  const length = end - start;
  if (length < 1 || length > 4 || (bytes[start] ?? 0) > 0x7f) return undefined;
  let value = 0;
  for (let offset = start; offset < end; offset++) value = value * 256 + (bytes[offset] ?? 0);
  return value;
}

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

/** A search entry has 5 levels, a control with a value of its own has no more. */
const DEEPEST = 16;

/**
 * Counts the elements from `start` to `end`, those within constructed ones included.
 *
 * @param most Where there are more, the rest is not looked at, and the result is more than this.
 * @returns `undefined` where they do not fill the bytes exactly, and so on within each constructed one, or are nested
 * more than {@link DEEPEST} levels deep.
 */
export function countElements(
  bytes: Uint8Array,
  start: number,
  end: number,
  most: number,
  depth = 0,
): number | undefined {
  if (depth > DEEPEST) return undefined;
  let count = 0;
  for (let offset = start; offset < end; ) {
    const element = readElement(bytes, offset, end);
    if (element === undefined) return undefined;
    count++;
    if ((element.tag & 0x20) !== 0) {
      const inner = countElements(bytes, element.start, element.end, most - count, depth + 1);
      if (inner === undefined) return undefined;
      count += inner;
    }
    if (count > most) return count;
    offset = element.end;
  }
  return count;
}

/** A small whole number: an INTEGER or ENUMERATED of at most four bytes that is not negative. */
export function readNumber(bytes: Uint8Array, { start, end }: Element): number | undefined {
  const length = end - start;
  if (length < 1 || length > 4 || (bytes[start] ?? 0) > 0x7f) return undefined;
  let value = 0;
  for (let offset = start; offset < end; offset++) value = value * 256 + (bytes[offset] ?? 0);
  return value;
}

import { InvalidFileError } from "@registry-gate/auth-kit";

/** One line of a file: its number, counted from 1, and its text; `undefined` where it is not UTF-8. */
export interface TextLine {
  readonly number: number;
  readonly text: string | undefined;
}

/** Something in a file that an operator should know. */
export interface Note {
  /** Counted from 1. */
  readonly line: number;
  /** Never holds any part of a password or hash. */
  readonly message: string;
}

/**
 * Splits a file into the lines that say something. A byte order mark, CR before LF, white space around a line, blank
 * lines and lines that begin with `#` are dropped, as Apache does.
 *
 * @throws {InvalidFileError} when the file is binary, or is UTF-16.
 */
export function* textLines(content: Buffer): Generator<TextLine> {
  if (content.includes(0)) throw new InvalidFileError("is not a text file: it has NUL bytes in it");
  let start = startOfText(content);
  for (let number = 1; start < content.length; number++) {
    const end = content.indexOf(0x0a, start);
    const bytes = content.subarray(start, end === -1 ? content.length : end);
    start += bytes.length + 1;
    const text = readLine(bytes);
    if (text === undefined || !(text === "" || text.startsWith("#"))) yield { number, text };
  }
}

/** Where the text begins: after a byte order mark. */
export function startOfText(content: Buffer): number {
  return content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf ? 3 : 0;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** One line without the white space around it; `undefined` where it is not UTF-8. */
export function readLine(bytes: Buffer): string | undefined {
  // Only ASCII white space: a name may begin with any other character. Not by a pattern that looks for white space up to
  // the end: it would look from each of them on, and take the square of their number.
  let start = 0;
  let end = bytes.length;
  while (start < end && isBlank(bytes[start])) start++;
  while (end > start && isBlank(bytes[end - 1])) end--;
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

/** Tab, vertical tab, form feed, carriage return, space. */
function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0b || byte === 0x0c || byte === 0x0d;
}

import type { TextReading } from "../text-reading.ts";
import { InvalidFileError } from "./invalid-file-error.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The content of a file without the byte order mark that editors and shells of Windows put before it. */
export function withoutByteOrderMark(content: Buffer): Buffer {
  const marked = content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf;
  return marked ? content.subarray(3) : content;
}

/** Reads text in UTF-8. A byte order mark at its beginning is not part of it, nor is one line end at its end. */
export function readSecretText(content: Buffer): TextReading {
  try {
    return { text: decoder.decode(withoutByteOrderMark(content)).replace(/(?:\r\n?|\n)$/, "") };
  } catch {
    return { fault: "is not UTF-8 text" };
  }
}

/**
 * Reads the one line that a file with a secret holds, or that came on standard input: a password, a token, a key. Every
 * such file of the gate and its backends is read by this, so that a secret is the same wherever it stands.
 */
export function readSecret(content: Buffer): TextReading {
  const reading = readSecretText(content);
  if (reading.fault !== undefined) return reading;
  if (reading.text === "") return { fault: "is empty" };
  if (/[\r\n]/.test(reading.text)) return { fault: "holds more than one line" };
  return reading.text.includes("\0") ? { fault: "holds a NUL character" } : reading;
}

/**
 * As {@link readSecret}, for a file that is followed.
 *
 * @throws {InvalidFileError}
 */
export function parseSecret(content: Buffer): string {
  const { text, fault } = readSecret(content);
  if (text === undefined) throw new InvalidFileError(fault);
  return text;
}

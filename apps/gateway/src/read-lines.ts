import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { createGunzip } from "node:zlib";

/** The first two bytes of a gzip file (RFC 1952, section 2.3.1). */
const gzipMagic = Buffer.from([0x1f, 0x8b]);
/** Of what is longer, the rest is dropped: no line of a log or an audit is. In characters. */
const longestLine = 4 * 1024 * 1024;

/**
 * Reads a file line by line, whatever its size and that of its lines. A rotated file that was compressed by gzip is read as
 * well: its content tells, or its name.
 *
 * @throws the error of the file system, or of a damaged gzip file.
 */
export async function* linesOfFile(path: string): AsyncGenerator<string> {
  const compressed = await isCompressed(path);
  const file = createReadStream(path);
  // An error of either ends the other.
  yield* linesOf(compressed ? pipeline(file, createGunzip(), () => {}) : file);
}

/**
 * Reads a stream of UTF-8 line by line. Only a line feed ends a line, and not one of the further characters that a value of
 * JSON may have.
 */
export async function* linesOf(stream: Readable): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let begun: string[] = [];
  let length = 0;
  const keep = (part: string): void => {
    if (part !== "" && length < longestLine) begun.push(part);
    length += part.length;
  };
  const line = (): string => {
    const whole = begun.join("").slice(0, longestLine);
    begun = [];
    length = 0;
    return whole.endsWith("\r") ? whole.slice(0, -1) : whole;
  };
  for await (const chunk of stream) {
    const [first = "", ...more] = decoder.write(chunk).split("\n");
    keep(first);
    for (const part of more) {
      yield line();
      keep(part);
    }
  }
  keep(decoder.end());
  if (length > 0) yield line();
}

async function isCompressed(path: string): Promise<boolean> {
  // A pipe can be read only once, and nobody compresses into one.
  const status = await stat(path);
  if (!status.isFile()) return false;
  if (path.endsWith(".gz") && status.size > 0) return true;
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(gzipMagic.length), 0, gzipMagic.length, 0);
    return bytesRead === gzipMagic.length && buffer.equals(gzipMagic);
  } finally {
    await file.close();
  }
}

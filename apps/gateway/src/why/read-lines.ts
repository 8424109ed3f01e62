import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

/** The first two bytes of a gzip file (RFC 1952, section 2.3.1). */
const gzipMagic = Buffer.from([0x1f, 0x8b]);

/**
 * Reads a file line by line, whatever its size. A rotated file that was compressed by gzip is read as well: its content
 * tells, not its name.
 *
 * @throws the error of the file system, or of a damaged gzip file.
 */
export async function* linesOfFile(path: string): AsyncGenerator<string> {
  const compressed = await isCompressed(path);
  const file = createReadStream(path);
  if (!compressed) return yield* linesOf(file);
  const content = createGunzip();
  file.once("error", (error) => content.destroy(error));
  yield* linesOf(file.pipe(content));
}

/** Reads a stream of UTF-8 line by line. */
export async function* linesOf(stream: Readable): AsyncGenerator<string> {
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  // The lines end where the stream fails, and say nothing of it.
  let failure: unknown;
  stream.once("error", (error: unknown) => {
    failure = error;
    lines.close();
  });
  yield* lines;
  if (failure !== undefined) throw failure;
}

async function isCompressed(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    // A pipe can be read only once, and nobody compresses into one.
    if (!(await file.stat()).isFile()) return false;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(gzipMagic.length), 0, gzipMagic.length, 0);
    return bytesRead === gzipMagic.length && buffer.equals(gzipMagic);
  } finally {
    await file.close();
  }
}

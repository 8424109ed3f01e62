import type { Readable, Writable } from "node:stream";

/** Smaller pieces are not worth the trouble. Those of TLS are just below 16 KiB. */
const smallestOwnBuffer = 1024;

/**
 * Gives the memory of a body's piece back as soon as it has been written.
 *
 * Node allocates a new buffer for every piece that it reads, and V8 frees them only when tens of megabytes have piled
 * up. A body of gigabytes then costs full collections, and a peak that depends on its size. Detaching each buffer at
 * once keeps memory flat and saves the time of the collections.
 *
 * A piece that shares its buffer with others is left to the collector. The caller must be the piece's only reader.
 */
export function releasePiece(piece: Buffer): void {
  const { buffer } = piece;
  if (piece.length === buffer.byteLength && piece.length >= smallestOwnBuffer && buffer instanceof ArrayBuffer) {
    buffer.transfer(0);
  }
}

/**
 * Like `source.pipe(sink)`, but tells the length of every piece, in bytes, releases what was written, and leaves it to
 * `end` to end the sink.
 */
export function pump(source: Readable, sink: Writable, count: (length: number) => void, end: () => void): void {
  const resume = (): void => {
    source.resume();
  };
  source.on("data", (piece: Buffer) => {
    count(piece.length);
    if (!sink.write(piece, () => releasePiece(piece))) source.pause();
  });
  sink.on("drain", resume);
  source.once("end", () => {
    sink.off("drain", resume);
    end();
  });
}

/** Smaller chunks are left to the collector. Those of TLS are just below 16 KiB. */
const smallestOwnBuffer = 1024;

/**
 * Frees the memory of a chunk as soon as it has been written.
 *
 * Node allocates a new buffer for every chunk that it reads, and V8 collects them only when tens of megabytes have
 * piled up. A body of gigabytes then causes full collections, and a peak that depends on its size. Detaching each
 * buffer at once keeps memory flat and saves the time of the collections.
 *
 * A chunk that shares its buffer with others is left to the collector. The caller must be the chunk's only reader.
 */
export function releaseChunk(chunk: Buffer): void {
  const { buffer } = chunk;
  if (chunk.length === buffer.byteLength && chunk.length >= smallestOwnBuffer && buffer instanceof ArrayBuffer) {
    buffer.transfer(0);
  }
}

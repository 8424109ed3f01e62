/** Forms come in a few. Each costs as much time as some kilobytes. */
const maxChunks = 1000;

/**
 * Reads a whole body into one piece of memory. What a chunk costs beside its bytes is given back at once: thousands of chunks of
 * a byte each are worth no more memory than one.
 *
 * @param maxBytes Beyond so many nothing is kept.
 * @returns `undefined` for a longer body, and for one in more than 1,000 chunks; the rest is left unread.
 * @throws what the body throws.
 */
export async function collectBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer | undefined> {
  let whole = Buffer.alloc(1024);
  let size = 0;
  let chunks = 0;
  for await (const chunk of body) {
    const end = size + chunk.length;
    if (end > maxBytes || ++chunks > maxChunks) return undefined;
    if (end > whole.length) {
      const larger = Buffer.alloc(Math.min(maxBytes, Math.max(end, 2 * whole.length)));
      whole.copy(larger, 0, 0, size);
      whole = larger;
    }
    whole.set(chunk, size);
    size = end;
  }
  return whole.subarray(0, size);
}

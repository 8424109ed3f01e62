/** Memory that is read into, used over and over: what is allocated for every read, V8 lets pile up for too long. */
export interface BufferPool {
  take(): Buffer;
  /** Only once nobody will look at what is in it again. */
  give(buffer: Buffer): void;
}

/** @param mostKept How many buffers are kept while nobody needs them. */
export function bufferPool(size: number, mostKept: number): BufferPool {
  const kept: Buffer[] = [];
  return {
    take: () => kept.pop() ?? Buffer.allocUnsafeSlow(size),
    give(buffer) {
      if (kept.length < mostKept) kept.push(buffer);
    },
  };
}

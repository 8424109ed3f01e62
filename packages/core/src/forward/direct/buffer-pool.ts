/** Memory that is read into, used over and over: what is allocated for every read, V8 lets pile up for too long. */
export interface BufferPool {
  /** `undefined` where as many are in use as may be. */
  take(): Buffer | undefined;
  /** Only once nobody will look at what is in it again. */
  give(buffer: Buffer): void;
  /** The buffer was left to the collector: it will not be given back. */
  lose(): void;
}

export interface BufferPoolLimits {
  /** How many buffers are kept while nobody needs them. */
  readonly maxKept: number;
  readonly maxInUse: number;
}

/** @param size Of each buffer, in bytes. */
export function bufferPool(size: number, { maxKept, maxInUse }: BufferPoolLimits): BufferPool {
  const kept: Buffer[] = [];
  let inUse = 0;
  return {
    take() {
      if (inUse >= maxInUse) return undefined;
      inUse++;
      return kept.pop() ?? Buffer.allocUnsafeSlow(size);
    },
    give(buffer) {
      inUse--;
      if (kept.length < maxKept) kept.push(buffer);
    },
    lose() {
      inUse--;
    },
  };
}

/** Reusable read buffers: V8 retains new ones for too long. */
export interface BufferPool {
  /** `undefined` where the maximum is in use. */
  take(): Buffer | undefined;
  /** Returns a buffer that nobody reads any more. */
  give(buffer: Buffer): void;
  /** The buffer is left to the collector, and is not returned. */
  lose(): void;
}

export interface BufferPoolLimits {
  /** The maximum number of unused buffers. */
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

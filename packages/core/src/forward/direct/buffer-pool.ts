/** Reusable buffers for large reads, within a budget: V8 retains new ones for too long. */
export interface BufferPool {
  /** The size in bytes of what {@link take} would lend; 0 where too little is left. */
  offers(): number;
  take(): Buffer | undefined;
  /** Returns a buffer that nobody reads any more. */
  give(buffer: Buffer): void;
  /** The buffer is left to the collector, and is not returned. */
  lose(buffer: Buffer): void;
}

export interface BufferPoolLimits {
  /** How much may be lent at the same time, in bytes. */
  readonly budget: number;
  /** The sizes of buffers, in bytes; the largest one is a multiple of the smallest by a power of two. */
  readonly largest: number;
  readonly smallest: number;
  /** How much is kept when nothing is lent, in bytes. */
  readonly maxKept: number;
}

/** A buffer is at most this part of what is left of the budget: the first ones are large, and many get some. */
const part = 16;

export function bufferPool({ budget, largest, smallest, maxKept }: BufferPoolLimits): BufferPool {
  const kept = new Map<number, Buffer[]>();
  let keptBytes = 0;
  let left = budget;

  function offers(): number {
    let size = largest;
    while (size * part > left && size >= smallest) size /= 2;
    return size >= smallest ? size : 0;
  }

  function takeKept(size: number): Buffer | undefined {
    const buffer = kept.get(size)?.pop();
    if (buffer !== undefined) keptBytes -= size;
    return buffer;
  }

  /** Leaves kept buffers to the collector until there are no more bytes of them. */
  function forget(most: number): void {
    for (const size of kept.keys()) while (keptBytes > most && takeKept(size) !== undefined);
  }

  return {
    offers,
    take() {
      const size = offers();
      if (size === 0) return undefined;
      left -= size;
      const known = takeKept(size);
      // What is lent and what is kept are within the budget together.
      if (known === undefined) forget(left);
      return known ?? Buffer.allocUnsafeSlow(size);
    },
    give(buffer) {
      const size = buffer.length;
      left += size;
      keptBytes += size;
      const same = kept.get(size);
      if (same === undefined) kept.set(size, [buffer]);
      else same.push(buffer);
      if (left === budget) forget(maxKept);
    },
    lose(buffer) {
      left += buffer.length;
    },
  };
}

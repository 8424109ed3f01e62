import type { BufferPool } from "./buffer-pool.ts";

/**
 * The buffers of one connection: a small one at first; a response that fills it is read into large buffers, each of
 * which is reused when everything in it has been consumed.
 */
export interface ReadMemory {
  /** The buffer for the next read. */
  readonly buffer: Buffer;
  /**
   * Lends bytes to a consumer: a copy if they are few, or else the bytes themselves, whose buffer is not reused until
   * `consumed` is called without an error.
   */
  lend(chunk: Buffer): { readonly chunk: Buffer; readonly consumed?: (error?: Error | null) => void };
  /** Chooses the buffer for the next read, after one of `length` bytes. */
  advance(length: number, idle: boolean): void;
}

/**
 * Large enough for a manifest with its head. Chunks up to this size are copied, which is cheaper than tracking them.
 */
const smallSize = 16_384;
/** A client that takes longer to read a large buffer, in milliseconds, gets no further one. */
const slowAfter = 1000;

interface LargeBuffer {
  readonly buffer: Buffer;
  lent: number;
  /** When it was lent, on the monotonic clock. */
  since: number;
  lost: boolean;
}

export function readMemory(pool: BufferPool): ReadMemory {
  const small = Buffer.allocUnsafeSlow(smallSize);
  let large: LargeBuffer | undefined;
  /** The client is too slow for large buffers. */
  let slow = false;

  /** No longer read into; the consumer of its last chunk returns it to the pool. */
  function leave(left: LargeBuffer): void {
    if (left.lent === 0) pool.give(left.buffer);
  }

  function takeLarge(): LargeBuffer | undefined {
    const buffer = slow ? undefined : pool.take();
    return buffer === undefined ? undefined : { buffer, lent: 0, since: 0, lost: false };
  }

  return {
    get buffer() {
      return large === undefined ? small : large.buffer;
    },
    lend(chunk) {
      const lender = large;
      if (lender === undefined || chunk.length <= smallSize) return { chunk: Buffer.from(chunk) };
      if (lender.lent++ === 0) lender.since = performance.now();
      const consumed = (error?: Error | null): void => {
        // After an error it may still be in use: it is left to the collector.
        if (error !== undefined && error !== null) {
          if (!lender.lost) pool.lose();
          lender.lost = true;
          return;
        }
        if (performance.now() - lender.since > slowAfter) slow = true;
        if (--lender.lent === 0 && lender !== large) pool.give(lender.buffer);
      };
      return { chunk, consumed };
    },
    advance(length, idle) {
      if (idle) {
        if (large !== undefined) leave(large);
        large = undefined;
        slow = false;
      } else if (large === undefined) {
        if (length === smallSize) large = takeLarge();
      } else if (large.lent > 0) {
        large = takeLarge();
      }
    },
  };
}

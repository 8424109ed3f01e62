import type { BufferPool } from "./buffer-pool.ts";

/**
 * The buffers of one connection: a small one at first; a response that fills it is read into large buffers, each of
 * which is reused when everything in it has been consumed.
 */
export interface ReadMemory {
  /** The memory for the next read. */
  next(): Buffer;
  /**
   * Lends bytes to a consumer: a copy if they are few, or else the bytes themselves, whose buffer is not reused until
   * `consumed` is called without an error.
   */
  lend(chunk: Buffer): { readonly chunk: Buffer; readonly consumed?: (error?: Error | null) => void };
  /** Chooses the memory for the next read, after one of `length` bytes. */
  advance(length: number, idle: boolean): void;
}

/**
 * Large enough for a manifest with its head. Chunks up to this size are copied, which is cheaper than tracking them.
 */
const smallSize = 16_384;
/** The same for bytes that are read by records of TLS, none of which is longer than 16 KiB (RFC 8446, section 5.1). */
const smallRecord = 4096;
/** What arrives at one moment by TLS is read into the rest of a buffer while so much is left of it. */
const burstSize = 65_536;
/** A client that takes longer to read a large buffer, in milliseconds, gets no further one. */
const slowAfter = 1000;

interface LargeBuffer {
  readonly buffer: Buffer;
  lent: number;
  /** When it was lent, on the monotonic clock. */
  since: number;
  lost: boolean;
}

/**
 * @param inRecords Whether bytes are read by records of TLS: one after the other is read into the same buffer. Other
 * reads fill a buffer, if so much has arrived.
 */
export function readMemory(pool: BufferPool, inRecords: boolean): ReadMemory {
  const copied = inRecords ? smallRecord : smallSize;
  const small = Buffer.allocUnsafeSlow(smallSize);
  let large: LargeBuffer | undefined;
  /** The client is too slow for large buffers. */
  let slow = false;
  /** Where the next read begins in the large buffer. */
  let at = 0;

  /** No longer read into; the consumer of its last chunk returns it to the pool. */
  function leave(left: LargeBuffer): void {
    if (left.lent === 0) pool.give(left.buffer);
  }

  function takeLarge(): LargeBuffer | undefined {
    const buffer = slow ? undefined : pool.take();
    return buffer === undefined ? undefined : { buffer, lent: 0, since: 0, lost: false };
  }

  return {
    next() {
      if (large === undefined) return small;
      return at === 0 ? large.buffer : large.buffer.subarray(at);
    },
    lend(chunk) {
      const lender = large;
      if (lender === undefined || chunk.length <= copied) return { chunk: Buffer.from(chunk) };
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
        at += length;
        if (inRecords && large.buffer.length - at >= burstSize) return;
        large = takeLarge();
      }
      at = 0;
    },
  };
}

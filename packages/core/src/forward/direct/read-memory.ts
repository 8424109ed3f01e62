import type { BufferPool } from "./buffer-pool.ts";

/**
 * The memory that a connection reads into. It begins small; a response that fills it is read into large buffers, of
 * which each is used again as soon as everything in it has been consumed.
 */
export interface ReadMemory {
  /** Where the next bytes are to be put. */
  readonly buffer: Buffer;
  /**
   * What of the bytes may be given away: a copy of little, or else the bytes themselves, whose memory is then kept from
   * being read into until `consumed` is called without an error.
   */
  lend(chunk: Buffer): { readonly chunk: Buffer; readonly consumed?: (error?: Error | null) => void };
  /** Chooses the memory for the next read, after one of `length` bytes. */
  advance(length: number, idle: boolean): void;
}

/** Large enough for a manifest with its head; chunks up to it are copied, which is cheaper than to look after them. */
const smallSize = 16_384;
/** A client that takes longer for what is in a large buffer, in milliseconds, gets no other one. */
const patience = 1000;

interface LargeBuffer {
  readonly buffer: Buffer;
  lent: number;
  /** Since when it has been lent, on the monotonic clock. */
  since: number;
  lost: boolean;
}

export function readMemory(pool: BufferPool): ReadMemory {
  const small = Buffer.allocUnsafeSlow(smallSize);
  let large: LargeBuffer | undefined;
  /** The client is slower than the memory is worth. */
  let slow = false;

  /** Nobody reads into it any more; whoever consumes the last chunk of it gives it back. */
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
        // After an error nobody knows who still looks at it: then it is the collector's.
        if (error !== undefined && error !== null) {
          if (!lender.lost) pool.lose();
          lender.lost = true;
          return;
        }
        if (performance.now() - lender.since > patience) slow = true;
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

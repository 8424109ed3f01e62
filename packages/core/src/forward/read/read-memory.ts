import type { BufferPool } from "./buffer-pool.ts";

/**
 * The memory that a connection reads into. It begins small; an answer that fills it is read into large buffers, of which
 * each is used again as soon as everything in it has been taken.
 */
export interface ReadMemory {
  /** Where the next bytes are to be put. */
  readonly buffer: Buffer;
  /**
   * What of the bytes may be given away: a copy of little, or else the bytes themselves, whose memory is then kept from
   * being read into until `taken` is called without an error.
   */
  lend(piece: Buffer): { readonly piece: Buffer; readonly taken?: (error?: Error | null) => void };
  /** Chooses the memory for the next read, after one of `length` bytes. */
  advance(length: number, idle: boolean): void;
}

/** Large enough for a manifest with its head; pieces up to it are copied, which is cheaper than to look after them. */
const smallSize = 16_384;

interface LargeBuffer {
  readonly buffer: Buffer;
  lent: number;
}

export function readMemory(pool: BufferPool): ReadMemory {
  const small = Buffer.allocUnsafeSlow(smallSize);
  let large: LargeBuffer | undefined;

  /** Nobody reads into it any more; whoever takes the last piece of it gives it back. */
  function leave(left: LargeBuffer): void {
    if (left.lent === 0) pool.give(left.buffer);
  }

  return {
    get buffer() {
      return large === undefined ? small : large.buffer;
    },
    lend(piece) {
      const lender = large;
      if (lender === undefined || piece.length <= smallSize) return { piece: Buffer.from(piece) };
      lender.lent++;
      const taken = (error?: Error | null): void => {
        // After an error nobody knows who still looks at it: then it is the collector's.
        if (error !== undefined && error !== null) return;
        if (--lender.lent === 0 && lender !== large) pool.give(lender.buffer);
      };
      return { piece, taken };
    },
    advance(length, idle) {
      if (idle) {
        if (large !== undefined) leave(large);
        large = undefined;
      } else if (large === undefined ? length === smallSize : large.lent > 0) {
        large = { buffer: pool.take(), lent: 0 };
      }
    },
  };
}

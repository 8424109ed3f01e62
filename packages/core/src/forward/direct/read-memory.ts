import { releaseChunk } from "../release-chunk.ts";
import type { BufferPool } from "./buffer-pool.ts";

/**
 * Where a connection reads to: first into memory that all connections share, of which every byte is copied at once; a
 * response that fills it is read into a large buffer of the pool, which is lent to the consumer as it is.
 *
 * So a connection that waits, or whose client does not read, has no memory for reads, and holds what was lent last: one
 * large buffer of the few that there are, or else a few KiB.
 */
export interface ReadMemory {
  /** The memory for the next read. */
  next(): Buffer;
  /**
   * Lends bytes to a consumer: a copy if they are in shared memory or few, or else the bytes themselves, whose buffer is
   * not reused until `consumed` is called without an error.
   */
  lend(chunk: Buffer): { readonly chunk: Buffer; readonly consumed?: (error?: Error | null) => void };
  /** Chooses the memory for the next read, after one of `length` bytes. */
  advance(length: number, idle: boolean): void;
  /** Whether nothing may be read until a consumer returns what it was lent. */
  isLent(): boolean;
}

export interface ReadMemorySettings {
  readonly pool: BufferPool;
  /** Memory of {@link sharedSize} for the reads of all connections. */
  readonly shared: Buffer;
  /**
   * Whether bytes are read by records of TLS: one after the other is read into the same buffer, also some that were here
   * already when reading was to stop. Other reads fill a buffer, if so much has arrived.
   */
  readonly inRecords: boolean;
  /** {@link ReadMemory.isLent} is false again. */
  readonly returned: () => void;
}

/** Large enough for a manifest with its head. */
export const sharedSize = 16_384;
/** Of the shared memory, so much is read of a body that gets no large buffer: a client that does not read holds it. */
const sharedChunk = 8192;
/** Chunks up to this size are copied, which is cheaper than tracking them. */
const smallRead = 16_384;
/** The same for bytes that are read by records of TLS, none of which is longer than 16 KiB (RFC 8446, section 5.1). */
const smallRecord = 4096;
/** What arrives at one moment by TLS is read into the rest of a buffer while so much is left of it, or half of it. */
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

export function readMemory(settings: ReadMemorySettings): ReadMemory {
  return new Memory(settings);
}

class Memory implements ReadMemory {
  readonly #settings: ReadMemorySettings;
  #small: Buffer;
  #large: LargeBuffer | undefined;
  /** The client is too slow for large buffers. */
  #slow = false;
  /** Where the next read begins in the large buffer. */
  #at = 0;

  constructor(settings: ReadMemorySettings) {
    this.#settings = settings;
    this.#small = settings.shared;
  }

  next(): Buffer {
    const large = this.#large;
    if (large === undefined) return this.#small;
    return this.#at === 0 ? large.buffer : large.buffer.subarray(this.#at);
  }

  lend(chunk: Buffer): ReturnType<ReadMemory["lend"]> {
    const { pool, shared, inRecords } = this.#settings;
    const small = this.#small;
    const lender = this.#large;
    if (lender === undefined) return small === shared ? { chunk: copyOf(chunk) } : lendCopy(chunk);
    if (chunk.length <= (inRecords ? smallRecord : smallRead)) return { chunk: copyOf(chunk) };
    if (lender.lent++ === 0) lender.since = performance.now();
    const consumed = (error?: Error | null): void => {
      if (error === undefined || error === null) return void this.#takeBack(lender);
      // After an error it may still be in use: it is left to the collector.
      if (!lender.lost) pool.lose(lender.buffer);
      lender.lost = true;
    };
    return { chunk, consumed };
  }

  advance(length: number, idle: boolean): void {
    const { pool, shared, inRecords } = this.#settings;
    const large = this.#large;
    if (idle) {
      if (large !== undefined) this.#leave(large);
      this.#large = undefined;
      this.#slow = false;
      this.#small = shared;
    } else if (large === undefined) {
      if (length < this.#small.length) return;
      this.#large = this.#takeLarge();
      if (this.#small === shared) this.#small = shared.subarray(0, sharedChunk);
    } else if (large.lent > 0) {
      if (!inRecords && !this.#slow) return;
      this.#at += length;
      if (inRecords && large.buffer.length - this.#at >= Math.min(burstSize, large.buffer.length / 2)) return;
      this.#large = this.#takeLarge();
    } else if (this.#slow || pool.offers() > large.buffer.length) {
      this.#leave(large);
      this.#large = this.#takeLarge();
    }
    this.#at = 0;
  }

  isLent(): boolean {
    return !this.#settings.inRecords && this.#large !== undefined && this.#large.lent > 0;
  }

  /** No longer read into; the consumer of its last chunk returns it to the pool. */
  #leave(left: LargeBuffer): void {
    if (left.lent === 0) this.#settings.pool.give(left.buffer);
  }

  #takeLarge(): LargeBuffer | undefined {
    const buffer = this.#slow ? undefined : this.#settings.pool.take();
    return buffer === undefined ? undefined : { buffer, lent: 0, since: 0, lost: false };
  }

  #takeBack(lender: LargeBuffer): void {
    const { pool, returned } = this.#settings;
    if (performance.now() - lender.since > slowAfter) this.#slow = true;
    if (--lender.lent > 0) return;
    if (lender === this.#large) returned();
    else pool.give(lender.buffer);
  }
}

/** Node's own copies share a buffer with others, which all of them would hold. */
function copyOf(chunk: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(chunk.length);
  chunk.copy(copy);
  return copy;
}

/** The copy of one of many chunks, whose memory is freed at once. */
function lendCopy(chunk: Buffer): ReturnType<ReadMemory["lend"]> {
  const copy = copyOf(chunk);
  return {
    chunk: copy,
    consumed(error) {
      if (error === undefined || error === null) releaseChunk(copy);
    },
  };
}

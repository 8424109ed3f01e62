import type { ReadMemory } from "./read-memory.ts";

/** The chunks of a body on their way to its consumer. */
export interface ChunkJoiner {
  add(chunk: Buffer): void;
  /** Whether chunks wait for those behind them. */
  isWaiting(): boolean;
  /** Passes on what waits. */
  flush(): void;
}

export interface JoinedChunks {
  take(chunk: Buffer, consumed: ((error?: Error | null) => void) | undefined): void;
  /** What waited for a moment was passed on. */
  taken(): void;
}

/**
 * Lends the chunks of a body to a consumer.
 *
 * @param join Whether chunks that arrive at one moment, and lie one behind the other in memory, become one. TLS comes in
 * records of at most 16 KiB: a write to the client for each would cost more than the decryption.
 */
export function joinChunks(memory: ReadMemory, join: boolean, on: JoinedChunks): ChunkJoiner {
  return new Joiner(memory, join, on);
}

class Joiner implements ChunkJoiner {
  readonly #memory: ReadMemory;
  readonly #join: boolean;
  readonly #on: JoinedChunks;
  #waiting: Buffer | undefined;
  #release: ((error?: Error | null) => void) | undefined;
  #scheduled = false;

  constructor(memory: ReadMemory, join: boolean, on: JoinedChunks) {
    this.#memory = memory;
    this.#join = join;
    this.#on = on;
  }

  add(bytes: Buffer): void {
    const before = this.#waiting;
    if (before !== undefined && isBehind(before, bytes)) {
      this.#waiting = Buffer.from(before.buffer, before.byteOffset, before.length + bytes.length);
      return;
    }
    this.flush();
    const { chunk, consumed } = this.#memory.lend(bytes);
    if (!this.#join || consumed === undefined) {
      this.#on.take(chunk, consumed);
      return;
    }
    this.#waiting = chunk;
    this.#release = consumed;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(flushScheduled, this);
  }

  isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  flush(): void {
    const chunk = this.#waiting;
    if (chunk === undefined) return;
    this.#waiting = undefined;
    this.#on.take(chunk, this.#release);
  }

  /** For {@link flushScheduled} only. */
  flushLate(): void {
    this.#scheduled = false;
    if (this.#waiting === undefined) return;
    this.flush();
    this.#on.taken();
  }
}

function flushScheduled(joiner: Joiner): void {
  joiner.flushLate();
}

function isBehind(before: Buffer, next: Buffer): boolean {
  return before.buffer === next.buffer && before.byteOffset + before.length === next.byteOffset;
}

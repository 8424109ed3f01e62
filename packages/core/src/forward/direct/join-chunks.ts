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
  let waiting: Buffer | undefined;
  let release: ((error?: Error | null) => void) | undefined;
  let scheduled = false;

  function flush(): void {
    const chunk = waiting;
    if (chunk === undefined) return;
    waiting = undefined;
    on.take(chunk, release);
  }

  function flushScheduled(): void {
    scheduled = false;
    if (waiting === undefined) return;
    flush();
    on.taken();
  }

  return {
    add(bytes) {
      const before = waiting;
      if (before !== undefined && isBehind(before, bytes)) {
        waiting = Buffer.from(before.buffer, before.byteOffset, before.length + bytes.length);
        return;
      }
      flush();
      const { chunk, consumed } = memory.lend(bytes);
      if (!join || consumed === undefined) return on.take(chunk, consumed);
      waiting = chunk;
      release = consumed;
      if (scheduled) return;
      scheduled = true;
      setImmediate(flushScheduled);
    },
    isWaiting: () => waiting !== undefined,
    flush,
  };
}

function isBehind(before: Buffer, next: Buffer): boolean {
  return before.buffer === next.buffer && before.byteOffset + before.length === next.byteOffset;
}

import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";

export interface Chunks {
  /** Bytes of one write; 0 for all at once. */
  readonly size: number;
  /** Milliseconds between two writes. */
  readonly pause: number;
  /** What goes into the same write as the last of the bytes. */
  readonly together?: string;
}

/** How long a peer that reads nothing is waited for, in milliseconds. */
const timeLimit = 10_000;
/** Of writes, each of which costs a turn of the loop. */
const mostWrites = 3000;

/**
 * Writes bytes, a character each, in several writes. Stops where the connection has ended, or where the peer reads
 * nothing for too long.
 */
export async function writeInChunks(socket: Socket, bytes: string, chunks: Chunks): Promise<void> {
  const { together = "" } = chunks;
  const size = chunks.size === 0 ? bytes.length : Math.max(chunks.size, Math.ceil(bytes.length / mostWrites));
  let at = 0;
  do {
    if (socket.destroyed || !socket.writable) return;
    const next = Math.min(at + size, bytes.length);
    const last = next === bytes.length;
    const chunk = Buffer.from(last ? bytes.slice(at) + together : bytes.slice(at, next), "latin1");
    const accepted = chunk.length === 0 || socket.write(chunk);
    at = next;
    if (!accepted && !(await drained(socket))) return;
    if (last) return;
    await (chunks.pause > 0 ? delay(chunks.pause) : nextTurn());
  } while (at < bytes.length);
}

async function drained(socket: Socket): Promise<boolean> {
  const over = new AbortController();
  const { signal } = over;
  try {
    return await Promise.race([
      once(socket, "drain", { signal }).then(() => true),
      once(socket, "close", { signal }).then(() => false),
      delay(timeLimit, false, { signal }),
    ]);
  } catch {
    return false;
  } finally {
    over.abort();
  }
}

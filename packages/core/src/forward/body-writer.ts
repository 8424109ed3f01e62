import { ServerResponse } from "node:http";

type Consumed = (error?: Error | null) => void;

interface Chunk {
  readonly bytes: Buffer;
  readonly consumed: Consumed | undefined;
}

/**
 * Of a chunk that is not lent, so much is handed to the client's connection at once: TLS encrypts all that it gets, and
 * holds it until the client has read. Chunks that are lent are as large as memory allows.
 */
const longestWrite = 65_536;

/**
 * Writes the body of a response. No more is accepted while anything of it waits for the client: a client that does not
 * read holds one chunk, and over TLS what was handed over of it once more, encrypted.
 */
export class BodyWriter {
  readonly #response: ServerResponse;
  readonly #resume: () => void;
  /** Handed to the connection, and not written yet. */
  readonly #unsent = new Set<Chunk>();
  /** What is too long for one write, and all that comes behind it. */
  #rest: Chunk[] | undefined;
  #end: (() => void) | undefined;
  /** Until the connection has written everything. */
  #waiting = false;
  #watching = false;

  /** @param resume Called when more is accepted again, after {@link write} has returned `false`. */
  constructor(response: ServerResponse, resume: () => void) {
    this.#response = response;
    this.#resume = resume;
  }

  /**
   * @param consumed Called when the chunk is written, or with an error where the connection ends before.
   * @returns whether more is accepted. What is written nonetheless is held.
   */
  write(bytes: Buffer, consumed: Consumed | undefined): boolean {
    const chunk = { bytes, consumed };
    if (this.#rest === undefined && !isLong(chunk)) return this.#hand(chunk);
    this.#rest ??= [];
    // Otherwise it is handed on when the connection has written what is before it.
    return this.#rest.push(chunk) === 1 && !this.#waiting && this.#handRest();
  }

  /** Calls back as soon as everything was handed to the connection. */
  end(callback: () => void): void {
    if (this.#rest === undefined) callback();
    else this.#end = callback;
  }

  /** @returns whether more is accepted. */
  #handRest(): boolean {
    for (let next = this.#rest?.shift(); next !== undefined; next = this.#rest?.shift()) {
      const { bytes, consumed } = next;
      if (isLong(next)) this.#rest?.unshift({ bytes: bytes.subarray(longestWrite), consumed });
      if (!this.#hand(isLong(next) ? { bytes: bytes.subarray(0, longestWrite), consumed } : next)) return false;
    }
    this.#rest = undefined;
    return true;
  }

  /** @returns whether more is accepted. */
  #hand(chunk: Chunk): boolean {
    const response = this.#response;
    const { socket } = response;
    if (socket === null || response.write !== ServerResponse.prototype.write) return this.#handCopy(chunk);
    // By itself Node writes in a moment; here it is to be known at once whether all is written.
    socket.cork();
    response.write(chunk.bytes, (error) => this.#written(chunk, error));
    socket.uncork();
    if (response.writableLength === 0) {
      chunk.consumed?.();
      return true;
    }
    this.#hold(chunk);
    this.#waiting = true;
    return false;
  }

  /** Who has a hand in the response may hold what is written, and never call back: only `drain` can be relied on. */
  #handCopy({ bytes, consumed }: Chunk): boolean {
    const accepted = this.#response.write(consumed === undefined ? bytes : Buffer.copyBytesFrom(bytes));
    consumed?.();
    if (!accepted && !this.#waiting) this.#response.once("drain", this.#goOn);
    this.#waiting ||= !accepted;
    return accepted;
  }

  #hold(chunk: Chunk): void {
    this.#unsent.add(chunk);
    if (this.#watching) return;
    this.#watching = true;
    this.#response.once("close", () => this.#drop(new Error("the connection has ended")));
  }

  #written(chunk: Chunk, error: Error | null | undefined): void {
    if (!this.#unsent.delete(chunk)) return;
    chunk.consumed?.(error);
    if (error !== undefined && error !== null) this.#drop(error);
    else if (this.#waiting && this.#unsent.size === 0) this.#goOn();
  }

  readonly #goOn = (): void => {
    this.#waiting = false;
    if (this.#rest !== undefined && !this.#handRest()) return;
    const end = this.#end;
    this.#end = undefined;
    if (end === undefined) this.#resume();
    else end();
  };

  #drop(error: Error): void {
    const chunks = [...this.#unsent, ...(this.#rest ?? [])];
    this.#unsent.clear();
    this.#rest = undefined;
    for (const { consumed } of chunks) consumed?.(error);
  }
}

function isLong({ bytes, consumed }: Chunk): boolean {
  return consumed === undefined && bytes.length > longestWrite;
}

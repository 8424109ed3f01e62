import type { Socket } from "node:net";
import { releaseChunk } from "../release-chunk.ts";
import type { RequestBody } from "../transport.ts";

/** So many bytes are written at once; fewer wait for the rest of what arrives at the same moment. */
const fullBatch = 65_536;
/** Up to this size, a batch is copied into one string, which costs less than several buffers in one write. */
const smallBatch = 4096;

export interface BodySettings {
  readonly socket: Socket;
  /** The head of the request, sent in one write with the beginning of the body. */
  readonly head: string;
  readonly body: RequestBody;
  /** The length of the body in bytes, or chunks. */
  readonly framing: number | "chunked";
  /** The body cannot be completed. */
  readonly failed: (error: unknown) => void;
}

/**
 * Sends the head and the body of a request with back-pressure, in frames of the gate.
 *
 * What arrives at one moment, such as several records of TLS, is sent in one write and as one chunk.
 */
export class BodySender {
  /** Whether everything was written to the socket. */
  complete = false;
  readonly #settings: BodySettings;
  /** The unsent part of the head and of the frames. */
  #head: string;
  #batch: Buffer[] = [];
  #batchLength = 0;
  #sent = 0;
  #scheduled = false;
  #stopped = false;
  /**
   * The last chunk, held back until the request may end: without it the body is incomplete, whatever its framing.
   */
  #last: Buffer | undefined;

  constructor(settings: BodySettings) {
    this.#settings = settings;
    this.#head = settings.head;
  }

  start(): void {
    const { body, framing } = this.#settings;
    const { source, mayEnd } = body;
    body.begin();
    if (mayEnd === undefined && framing !== "chunked") {
      // A small body is here already, as a rule, and leaves in one write with the head.
      const arrived: unknown = source.read();
      if (arrived !== null) this.#add(arrived);
      if (this.#sent === framing) {
        this.#finish();
        // Its end is read, too.
        if (!body.isComplete()) source.resume();
        return;
      }
    }
    this.#schedule();
    if (this.#stopped) return;
    source.on("data", mayEnd === undefined ? this.#add : this.#hold);
    source.once("end", mayEnd === undefined ? this.#finish : this.#confirm);
  }

  /** The socket accepts more data again. */
  drained(): void {
    if (!this.#stopped) this.#settings.body.source.resume();
  }

  /** Sends nothing more. The rest of the body is left to the caller. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#batch = [];
    this.#last = undefined;
    const { source } = this.#settings.body;
    source.off("data", this.#add);
    source.off("data", this.#hold);
    source.off("end", this.#finish);
    source.off("end", this.#confirm);
  }

  readonly #add = (chunk: unknown): void => {
    if (this.#stopped) return;
    const { body, framing } = this.#settings;
    if (!(chunk instanceof Buffer)) return void this.#fail(new TypeError("the body was decoded by others"));
    this.#sent += chunk.length;
    // More bytes than announced would be the next request.
    if (framing !== "chunked" && this.#sent > framing) return void this.#fail(new TypeError("the body is too long"));
    body.passed(chunk.length);
    this.#batch.push(chunk);
    this.#batchLength += chunk.length;
    if (this.#batchLength >= fullBatch) this.#flush();
    else this.#schedule();
  };

  readonly #hold = (chunk: Buffer): void => {
    const before = this.#last;
    this.#last = chunk;
    if (before !== undefined) this.#add(before);
  };

  readonly #confirm = (): void => {
    this.#finishWhenAllowed().catch((error: unknown) => this.#fail(error));
  };

  async #finishWhenAllowed(): Promise<void> {
    const { mayEnd } = this.#settings.body;
    if ((await mayEnd?.()) !== true) return void this.#fail(new Error("the request was aborted"));
    if (this.#last !== undefined) this.#add(this.#last);
    this.#finish();
  }

  readonly #finish = (): void => {
    if (this.#stopped) return;
    const { framing } = this.#settings;
    if (framing !== "chunked" && this.#sent !== framing) return void this.#fail(new TypeError("the body is too short"));
    this.complete = true;
    this.#flush();
    this.stop();
  };

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#settings.failed(error);
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(flushScheduled, this);
  }

  /** For {@link flushScheduled} only. */
  flush(): void {
    this.#scheduled = false;
    this.#flush();
  }

  /** Writes the head, what has arrived of the body, and its end, each once. */
  #flush(): void {
    if (this.#stopped) return;
    const { socket, framing, body } = this.#settings;
    const batch = this.#batch;
    const length = this.#batchLength;
    const chunked = framing === "chunked";
    const before = chunked && length > 0 ? `${this.#head}${length.toString(16)}\r\n` : this.#head;
    const after = chunked ? `${length > 0 ? "\r\n" : ""}${this.complete ? "0\r\n\r\n" : ""}` : "";
    if (before === "" && after === "" && length === 0) return;
    this.#head = "";
    this.#batch = [];
    this.#batchLength = 0;
    const accepted =
      length <= smallBatch ? writeText(socket, before, batch, after) : write(socket, before, batch, after);
    if (!accepted && !this.complete) body.source.pause();
  }
}

function flushScheduled(sender: BodySender): void {
  sender.flush();
}

function writeText(socket: Socket, before: string, batch: readonly Buffer[], after: string): boolean {
  let text = before;
  for (const chunk of batch) {
    text += chunk.toString("latin1");
    releaseChunk(chunk);
  }
  return socket.write(text + after, "latin1");
}

/** The memory of the chunks is freed as soon as they are written. */
function write(socket: Socket, before: string, batch: readonly Buffer[], after: string): boolean {
  const release = (): void => {
    for (const chunk of batch) releaseChunk(chunk);
  };
  const last = batch.length - 1;
  socket.cork();
  if (before !== "") socket.write(before, "latin1");
  for (const [index, chunk] of batch.entries()) {
    if (index < last) socket.write(chunk);
    else socket.write(chunk, release);
  }
  if (after !== "") socket.write(after, "latin1");
  socket.uncork();
  return !socket.writableNeedDrain;
}

import type { Socket } from "node:net";
import { type LinkedNode, linkedNode } from "@registry-gate/auth-kit";
import type { IdleConnection, Waiting } from "../connection-limit.ts";
import { watchConnection } from "../limit-connecting.ts";
import { asError, SilentUpstreamError, StalledBodyError } from "../transport-errors.ts";
import { BodySender } from "./body-sender.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { Exchange, ExchangeConnection } from "./exchange.ts";
import { type ChunkJoiner, type JoinedChunks, joinChunks } from "./join-chunks.ts";
import type { SocketOpener } from "./open-socket.ts";
import { type ReadMemory, readMemory } from "./read-memory.ts";
import type { ParsedHead } from "./response-head.ts";
import { type ReaderSink, type ResponseReader, responseReader } from "./response-reader.ts";

export interface DirectConnectionSettings {
  /** The registry's host and port, for published events. */
  readonly upstream: string;
  readonly open: SocketOpener;
  /** Whether the socket is one of TLS. */
  readonly secure: boolean;
  readonly connectTimeout: number;
  /** How long the registry may be silent during a request, in milliseconds. */
  readonly readTimeout: number;
  readonly buffers: BufferPool;
  /** Memory of `sharedSize` for the reads of all connections. */
  readonly shared: Buffer;
}

/** Who has the connections of one user. */
export interface ConnectionOwner {
  /** The connection is idle. */
  freed(connection: DirectConnection): void;
  closed(connection: DirectConnection): void;
}

/**
 * A connection to the registry, for one request at a time.
 *
 * Its parts are classes too: of connections that each serve one user, thousands may be open, and where there are more users
 * in turn than may be open, each request opens one.
 */
export class DirectConnection implements ExchangeConnection, ReaderSink, JoinedChunks {
  /** Its place among all that are open. */
  readonly opened: LinkedNode<DirectConnection> = linkedNode(this);
  /** Its place among those of its owner's pool that are idle, and since when it is one of them. */
  readonly kept: LinkedNode<DirectConnection> = linkedNode(this);
  idleSince = 0;
  /** Its place among all connections to the registry that are idle. */
  readonly waiting: Waiting = linkedNode<IdleConnection>(this);
  readonly #settings: DirectConnectionSettings;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #memory: ReadMemory;
  readonly #body: ChunkJoiner;
  readonly #reader: ResponseReader;
  #space: Buffer;
  #exchange: Exchange | undefined;
  /** Whether a response was received on it before. */
  #used = false;
  /** Nothing more is read, except for records of TLS that are here already. */
  #paused = false;
  #drains = false;

  /** Connects. A request can be sent at once. */
  constructor(settings: DirectConnectionSettings, owner: ConnectionOwner) {
    const { open, secure, readTimeout, buffers, shared } = settings;
    this.#settings = settings;
    this.#owner = owner;
    this.#memory = readMemory({ pool: buffers, shared, inRecords: secure, returned: () => this.#readOn() });
    this.#body = joinChunks(this.#memory, secure, this);
    this.#reader = responseReader(this);
    this.#space = this.#memory.next();
    const socket = open({
      buffer: () => {
        this.#space = this.#memory.next();
        return this.#space;
      },
      callback: (length) => {
        this.#receive(this.#space.subarray(0, length));
        this.#memory.advance(length, this.#exchange === undefined);
        this.#paused = !this.#mayRead();
        return !this.#paused;
      },
    });
    this.#socket = socket;
    watchConnection(socket, settings, () => {
      this.#fail(new Error("the registry closed the connection"));
      this.#memory.advance(0, true);
      owner.closed(this);
    });
    // Every write and read begins it anew.
    socket.setTimeout(readTimeout);
    socket.on("timeout", () => this.#onTimeout());
    socket.on("end", () => this.#onEnd());
    socket.on("error", (error) => this.#fail(error));
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  send(next: Exchange): void {
    const { request, body: sent } = next;
    const { method, head, framing } = request;
    const socket = this.#socket;
    this.#exchange = next;
    next.connection = this;
    this.#reader.begin(method);
    if (sent === undefined || framing === undefined) {
      socket.write(head, "latin1");
      return;
    }
    if (!this.#drains) socket.on("drain", () => this.#exchange?.sender?.drained());
    this.#drains = true;
    const failed = (error: unknown): void => this.#fail(error);
    next.sender = new BodySender({ socket, head, body: sent, framing, failed });
    next.sender.start();
  }

  resume(resumed: Exchange): void {
    if (this.#exchange !== resumed) return;
    resumed.full = false;
    this.#readOn();
  }

  destroy(): void {
    this.#exchange?.sender?.stop();
    this.#exchange = undefined;
    this.#body.flush();
    this.#socket.destroy();
  }

  /** For its reader only. */
  head(head: ParsedHead): void {
    this.#exchange?.sink.head(head);
  }

  /** For its reader only. */
  body(chunk: Buffer): void {
    this.#body.add(chunk);
  }

  /** For what joins its chunks only. */
  take(chunk: Buffer, consumed: ((error?: Error | null) => void) | undefined): void {
    const current = this.#exchange;
    if (current === undefined) consumed?.();
    else if (!current.sink.chunk(chunk, consumed)) current.full = true;
  }

  /** For what joins its chunks only. */
  taken(): void {
    this.#exchange?.sink.flush();
    if (this.#mayRead()) return;
    this.#paused = true;
    this.#socket.pause();
  }

  /** Whether the sink accepts more, and there is memory for it. */
  #mayRead(): boolean {
    return this.#exchange?.full !== true && !this.#memory.isLent();
  }

  #readOn(): void {
    if (!this.#paused || !this.#mayRead()) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #receive(bytes: Buffer): void {
    const current = this.#exchange;
    if (current === undefined) {
      // An unrequested response.
      this.#socket.destroy();
      return;
    }
    if (this.#memory.isLent()) return void this.#fail(new Error("bytes were read into memory that is in use"));
    current.heard = true;
    try {
      this.#reader.read(bytes);
    } catch (error) {
      return void this.#fail(error);
    }
    // The sink may have aborted the request.
    if (current !== this.#exchange) return;
    if (this.#reader.isComplete()) this.#finish(current);
    else if (!this.#body.isWaiting()) current.sink.flush();
  }

  #finish(finished: Exchange): void {
    this.#body.flush();
    // The sink may have aborted the request.
    if (this.#exchange !== finished) return;
    this.#exchange = undefined;
    this.#used = true;
    finished.over = true;
    const { sender } = finished;
    // A response to the beginning of a body ends the request: the rest of the body would be taken for the next one.
    const whole = sender === undefined || sender.complete;
    if (!whole) sender.stop();
    if (whole && this.#reader.isReusable()) {
      // Records of TLS that were here already have ended the response of a connection that was not to be read on.
      this.#readOn();
      this.#owner.freed(this);
    } else {
      this.#socket.destroy();
    }
    finished.sink.end();
  }

  #onEnd(): void {
    const current = this.#exchange;
    if (current === undefined) return void this.#socket.destroy();
    try {
      this.#reader.end();
    } catch (error) {
      return void this.#fail(error);
    }
    this.#finish(current);
  }

  #onTimeout(): void {
    const { readTimeout } = this.#settings;
    const exchange = this.#exchange;
    if (exchange === undefined) return void this.#socket.destroy();
    // While the client does not read, the registry is not silent.
    if (!this.#mayRead()) return void this.#socket.setTimeout(readTimeout);
    const owed = exchange.body?.isComplete() === false && !this.#socket.writableNeedDrain;
    this.#fail(owed ? new StalledBodyError(readTimeout) : new SilentUpstreamError(readTimeout));
  }

  #fail(error: unknown): void {
    this.#body.flush();
    const failed = this.#exchange;
    this.#exchange = undefined;
    this.#socket.destroy();
    if (failed === undefined) return;
    failed.sender?.stop();
    if (failed.over) return;
    failed.over = true;
    const kind = kindOf(error);
    failed.sink.failed({
      kind,
      error: asError(error),
      stale: this.#used && !failed.heard && kind === "unreachable",
    });
  }
}

function kindOf(error: unknown): "unreachable" | "silent" | "stalled" {
  if (error instanceof StalledBodyError) return "stalled";
  return error instanceof SilentUpstreamError ? "silent" : "unreachable";
}

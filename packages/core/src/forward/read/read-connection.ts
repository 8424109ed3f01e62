import { connect, type Socket } from "node:net";
import { limitConnecting } from "../limit-connecting.ts";
import { SilentUpstreamError } from "../silent-upstream-error.ts";
import type { AnswerHead } from "./answer-head.ts";
import { type AnswerReader, answerReader } from "./answer-reader.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { readMemory } from "./read-memory.ts";

/** A request without a body. */
export interface ReadRequest {
  readonly method: "GET" | "HEAD";
  /** Its head, with the empty line at its end. */
  readonly head: string;
}

/** Whoever waits for an answer. Exactly one of `complete` and `failed` is called, unless the connection is destroyed. */
export interface AnswerTaker {
  head(head: AnswerHead): void;
  /**
   * @param taken To be called when the piece is not needed any more, with the error where that is the reason.
   * @returns false where no more is wanted until {@link ReadConnection.resume}.
   */
  body(piece: Buffer, taken?: (error?: Error | null) => void): boolean;
  /** All that has come so far was given, and it is not everything. */
  caughtUp(): void;
  complete(): void;
  /** @param heard Whether a byte had come that may belong to the answer. */
  failed(error: Error, heard: boolean): void;
}

/** A connection to the registry, for one request after the other. */
export interface ReadConnection {
  /** Whether a request was answered on it before. */
  readonly used: boolean;
  readonly destroyed: boolean;
  send(request: ReadRequest, taker: AnswerTaker): void;
  resume(): void;
  destroy(): void;
}

export interface ReadConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly connectTimeout: number;
  /** How long the registry may be silent during a request, in milliseconds. */
  readonly readTimeout: number;
  /** How long the connection is kept between two requests, in milliseconds. */
  readonly idleTimeout: number;
  readonly pool: BufferPool;
  /** It is free for another request. */
  readonly freed: (connection: ReadConnection) => void;
  readonly closed: (connection: ReadConnection) => void;
}

interface Exchange {
  readonly taker: AnswerTaker;
  readonly reader: AnswerReader;
  heard: boolean;
  /** The taker wants no more for the moment. */
  full: boolean;
}

/** Connects; a request can be sent at once. */
export function readConnection(settings: ReadConnectionSettings): ReadConnection {
  const { host, port, connectTimeout, readTimeout, idleTimeout, pool, freed, closed } = settings;
  const memory = readMemory(pool);
  let exchange: Exchange | undefined;
  let used = false;

  const socket: Socket = connect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    onread: {
      buffer: () => memory.buffer,
      callback: (length) => {
        const more = receive(memory.buffer.subarray(0, length));
        memory.advance(length, exchange === undefined);
        return more;
      },
    },
  });
  limitConnecting(socket, "connect", connectTimeout);
  socket.on("timeout", onTimeout);
  socket.on("end", onEnd);
  socket.on("error", fail);
  socket.on("close", () => {
    fail(new Error("the registry closed the connection"));
    closed(connection);
  });

  /** @returns whether to read on. */
  function receive(bytes: Buffer): boolean {
    const current = exchange;
    if (current === undefined) {
      // An answer that nobody asked for.
      socket.destroy();
      return false;
    }
    current.heard = true;
    try {
      current.reader.read(bytes);
    } catch (error) {
      fail(error);
      return false;
    }
    if (current.reader.isComplete()) finish(current);
    else current.taker.caughtUp();
    return !(current === exchange && current.full);
  }

  function finish({ reader, taker }: Exchange): void {
    exchange = undefined;
    used = true;
    if (reader.isReusable()) {
      socket.setTimeout(idleTimeout);
      freed(connection);
    } else {
      socket.destroy();
    }
    taker.complete();
  }

  function onEnd(): void {
    if (exchange === undefined) return void socket.destroy();
    try {
      exchange.reader.end();
      finish(exchange);
    } catch (error) {
      fail(error);
    }
  }

  function onTimeout(): void {
    // While the client takes nothing, the registry is not to blame.
    if (exchange?.full === true) socket.setTimeout(readTimeout);
    else fail(new SilentUpstreamError(readTimeout));
  }

  function fail(error: unknown): void {
    const failed = exchange;
    exchange = undefined;
    socket.destroy();
    failed?.taker.failed(error instanceof Error ? error : new Error(String(error)), failed.heard);
  }

  const connection: ReadConnection = {
    get used() {
      return used;
    },
    get destroyed() {
      return socket.destroyed;
    },
    send({ method, head }, taker) {
      const reader = answerReader(method, {
        head: taker.head,
        body(bytes) {
          const { piece, taken } = memory.lend(bytes);
          if (!taker.body(piece, taken)) current.full = true;
        },
      });
      const current: Exchange = { taker, reader, heard: false, full: false };
      exchange = current;
      socket.setTimeout(readTimeout);
      socket.write(head, "latin1");
    },
    resume() {
      if (exchange === undefined) return;
      exchange.full = false;
      socket.resume();
    },
    destroy() {
      exchange = undefined;
      socket.destroy();
    },
  };
  return connection;
}

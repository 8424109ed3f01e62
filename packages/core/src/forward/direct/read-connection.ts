import { connect, type Socket } from "node:net";
import { observeConnection } from "../../observe/observe-connection.ts";
import { limitConnecting } from "../limit-connecting.ts";
import type { ResponseSink } from "../transport.ts";
import { asError, SilentUpstreamError } from "../transport-errors.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { readMemory } from "./read-memory.ts";
import { type ResponseReader, responseReader } from "./response-reader.ts";

/** A request without a body. */
export interface ReadRequest {
  readonly method: "GET" | "HEAD";
  /** The head with the empty line at its end. */
  readonly head: string;
}

/** A connection to the registry, for one request at a time. */
export interface ReadConnection {
  readonly destroyed: boolean;
  send(request: ReadRequest, sink: ResponseSink): void;
  resume(): void;
  destroy(): void;
}

export interface ReadConnectionSettings {
  /** The registry's host and port, for published events. */
  readonly upstream: string;
  readonly host: string;
  readonly port: number;
  readonly connectTimeout: number;
  /** How long the registry may be silent during a request, in milliseconds. */
  readonly readTimeout: number;
  /** How long the connection is kept between two requests, in milliseconds. */
  readonly idleTimeout: number;
  readonly buffers: BufferPool;
  /** The connection is idle. */
  readonly freed: (connection: ReadConnection) => void;
  readonly closed: (connection: ReadConnection) => void;
}

interface Exchange {
  readonly sink: ResponseSink;
  readonly reader: ResponseReader;
  heard: boolean;
  /** The sink accepts no more data at the moment. */
  full: boolean;
}

/** Connects. A request can be sent at once. */
export function readConnection(settings: ReadConnectionSettings): ReadConnection {
  const { upstream, host, port, connectTimeout, readTimeout, idleTimeout, buffers, freed, closed } = settings;
  const memory = readMemory(buffers);
  let exchange: Exchange | undefined;
  /** Whether a response was received on it before. */
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
  observeConnection(upstream, socket, "connect");
  socket.on("timeout", onTimeout);
  socket.on("end", onEnd);
  socket.on("error", fail);
  socket.on("close", () => {
    fail(new Error("the registry closed the connection"));
    memory.advance(0, true);
    closed(connection);
  });

  /** @returns whether to read on. */
  function receive(bytes: Buffer): boolean {
    const current = exchange;
    if (current === undefined) {
      // An unrequested response.
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
    // The sink may have aborted the request.
    if (current !== exchange) return false;
    if (current.reader.isComplete()) finish(current);
    else current.sink.flush();
    return !(current === exchange && current.full);
  }

  function finish({ reader, sink }: Exchange): void {
    exchange = undefined;
    used = true;
    if (reader.isReusable()) {
      socket.setTimeout(idleTimeout);
      freed(connection);
    } else {
      socket.destroy();
    }
    sink.end();
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
    // While the client does not read, the registry is not silent.
    if (exchange?.full === true) socket.setTimeout(readTimeout);
    else fail(new SilentUpstreamError(readTimeout));
  }

  function fail(error: unknown): void {
    const failed = exchange;
    exchange = undefined;
    socket.destroy();
    if (failed === undefined) return;
    const silent = error instanceof SilentUpstreamError;
    failed.sink.failed({
      kind: silent ? "silent" : "unreachable",
      error: asError(error),
      stale: used && !failed.heard && !silent,
    });
  }

  const connection: ReadConnection = {
    get destroyed() {
      return socket.destroyed;
    },
    send({ method, head }, sink) {
      const reader = responseReader(method, {
        head: (responseHead) => sink.head(responseHead),
        body(bytes) {
          if (current !== exchange) return;
          const { chunk, consumed } = memory.lend(bytes);
          if (!sink.chunk(chunk, consumed)) current.full = true;
        },
      });
      const current: Exchange = { sink, reader, heard: false, full: false };
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

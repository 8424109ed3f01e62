import type { Socket } from "node:net";
import { observeConnection } from "../../observe/observe-connection.ts";
import { limitConnecting } from "../limit-connecting.ts";
import { asError, SilentUpstreamError, StalledBodyError } from "../transport-errors.ts";
import { BodySender } from "./body-sender.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { Exchange, ExchangeConnection } from "./exchange.ts";
import { joinChunks } from "./join-chunks.ts";
import type { SocketOpener } from "./open-socket.ts";
import { readMemory } from "./read-memory.ts";
import { responseReader } from "./response-reader.ts";

/** A connection to the registry, for one request at a time. */
export interface DirectConnection extends ExchangeConnection {
  readonly destroyed: boolean;
  send(exchange: Exchange): void;
}

export interface DirectConnectionSettings {
  /** The registry's host and port, for published events. */
  readonly upstream: string;
  readonly open: SocketOpener;
  /** Whether the socket is one of TLS. */
  readonly secure: boolean;
  readonly connectTimeout: number;
  /** How long the registry may be silent during a request, in milliseconds. */
  readonly readTimeout: number;
  /** How long the connection is kept between two requests, in milliseconds. */
  readonly idleTimeout: number;
  readonly buffers: BufferPool;
  /** Memory of `sharedSize` for the reads of all connections. */
  readonly shared: Buffer;
  /** The connection is idle. */
  readonly freed: (connection: DirectConnection) => void;
  readonly closed: (connection: DirectConnection) => void;
}

/** Connects. A request can be sent at once. */
export function directConnection(settings: DirectConnectionSettings): DirectConnection {
  const { upstream, open, secure, connectTimeout, readTimeout, idleTimeout, buffers, shared, freed, closed } = settings;
  const memory = readMemory({ pool: buffers, shared, inRecords: secure, returned: readOn });
  let exchange: Exchange | undefined;
  /** Whether a response was received on it before. */
  let used = false;
  /** Nothing more is read, except for records of TLS that are here already. */
  let paused = false;

  const body = joinChunks(memory, secure, {
    take(chunk, consumed) {
      const current = exchange;
      if (current === undefined) consumed?.();
      else if (!current.sink.chunk(chunk, consumed)) current.full = true;
    },
    taken() {
      exchange?.sink.flush();
      if (mayRead()) return;
      paused = true;
      socket.pause();
    },
  });
  const reader = responseReader({
    head: (head) => exchange?.sink.head(head),
    body: body.add,
  });
  let space = memory.next();
  const socket: Socket = open({
    buffer() {
      space = memory.next();
      return space;
    },
    callback(length) {
      receive(space.subarray(0, length));
      memory.advance(length, exchange === undefined);
      paused = !mayRead();
      return !paused;
    },
  });
  const connected = secure ? "secureConnect" : "connect";
  limitConnecting(socket, connected, connectTimeout);
  observeConnection(upstream, socket, connected);
  // Every write and read begins it anew.
  socket.setTimeout(readTimeout);
  socket.on("timeout", onTimeout);
  socket.on("drain", () => exchange?.sender?.drained());
  socket.on("end", onEnd);
  socket.on("error", fail);
  socket.on("close", () => {
    clearTimeout(idleTimer);
    fail(new Error("the registry closed the connection"));
    memory.advance(0, true);
    closed(connection);
  });
  const idleTimer = setTimeout(() => {
    if (exchange === undefined) socket.destroy();
  }, idleTimeout);
  idleTimer.unref();

  /** Whether the sink accepts more, and there is memory for it. */
  function mayRead(): boolean {
    return exchange?.full !== true && !memory.isLent();
  }

  function readOn(): void {
    if (!paused || !mayRead()) return;
    paused = false;
    socket.resume();
  }

  function receive(bytes: Buffer): void {
    const current = exchange;
    if (current === undefined) {
      // An unrequested response.
      socket.destroy();
      return;
    }
    if (memory.isLent()) return void fail(new Error("bytes were read into memory that is in use"));
    current.heard = true;
    try {
      reader.read(bytes);
    } catch (error) {
      return void fail(error);
    }
    // The sink may have aborted the request.
    if (current !== exchange) return;
    if (reader.isComplete()) finish(current);
    else if (!body.isWaiting()) current.sink.flush();
  }

  function finish(finished: Exchange): void {
    body.flush();
    // The sink may have aborted the request.
    if (exchange !== finished) return;
    exchange = undefined;
    used = true;
    finished.over = true;
    const { sender } = finished;
    // A response to the beginning of a body ends the request: the rest of the body would be taken for the next one.
    const whole = sender === undefined || sender.complete;
    if (!whole) sender.stop();
    if (whole && reader.isReusable()) {
      // Records of TLS that were here already have ended the response of a connection that was not to be read on.
      readOn();
      idleTimer.refresh();
      freed(connection);
    } else {
      socket.destroy();
    }
    finished.sink.end();
  }

  function onEnd(): void {
    if (exchange === undefined) return void socket.destroy();
    try {
      reader.end();
    } catch (error) {
      return void fail(error);
    }
    finish(exchange);
  }

  function onTimeout(): void {
    if (exchange === undefined) return void socket.destroy();
    // While the client does not read, the registry is not silent.
    if (!mayRead()) return void socket.setTimeout(readTimeout);
    const owed = exchange.body?.isComplete() === false && !socket.writableNeedDrain;
    fail(owed ? new StalledBodyError(readTimeout) : new SilentUpstreamError(readTimeout));
  }

  function fail(error: unknown): void {
    body.flush();
    const failed = exchange;
    exchange = undefined;
    socket.destroy();
    if (failed === undefined) return;
    failed.sender?.stop();
    if (failed.over) return;
    failed.over = true;
    const kind = kindOf(error);
    failed.sink.failed({
      kind,
      error: asError(error),
      stale: used && !failed.heard && kind === "unreachable",
    });
  }

  const connection: DirectConnection = {
    get destroyed() {
      return socket.destroyed;
    },
    send(next) {
      const { request, body: sent } = next;
      const { method, head, framing } = request;
      exchange = next;
      next.connection = connection;
      reader.begin(method);
      if (sent === undefined || framing === undefined) {
        socket.write(head, "latin1");
        return;
      }
      next.sender = new BodySender({ socket, head, body: sent, framing, failed: fail });
      next.sender.start();
    },
    resume(resumed) {
      if (exchange !== resumed) return;
      resumed.full = false;
      readOn();
    },
    destroy() {
      exchange?.sender?.stop();
      exchange = undefined;
      body.flush();
      socket.destroy();
    },
  };
  return connection;
}

function kindOf(error: unknown): "unreachable" | "silent" | "stalled" {
  if (error instanceof StalledBodyError) return "stalled";
  return error instanceof SilentUpstreamError ? "silent" : "unreachable";
}

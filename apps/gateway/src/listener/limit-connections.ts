import type { Server as HttpServer, IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type AddressSet, plainAddress } from "@registry-gate/auth-kit";
import { sendError } from "@registry-gate/core";
import { type Connection, connectionTable, type Eviction } from "./connection-table.ts";
import { type HandshakeFailure, handshakeFault } from "./handshake-failure.ts";

export interface ConnectionLimits {
  /** How many connections are served at once. */
  readonly maxConnections: number;
  /** How many connections one IPv4 address, or one IPv6 network of 64 bits, may have. */
  readonly connectionsPerAddress: number;
  /** Peers that stand for many clients: the limit by address does not count for them. */
  readonly trustedProxies: AddressSet;
}

/** Connections that were closed because a limit was reached. */
export interface ConnectionPressure {
  /** Connections that were closed at once, because their address had too many. */
  readonly refused: number;
  /** The address of the last of these. */
  readonly client: string | undefined;
  /** Connections that waited, and were closed for others. */
  readonly evicted: number;
}

/** Keeps a server to a number of connections. */
export interface ConnectionLimit {
  /** How many connections there are. */
  readonly size: number;
  limit(limits: ConnectionLimits): void;
  /** Must be called for a connection to a TLS server that begins without TLS. */
  takePlain(socket: Socket): void;
  /** Calls the handler as soon as the connection has a place, or responds with 503. */
  admit(request: IncomingMessage, response: ServerResponse, handle: RequestListener): void;
  /** Closes connections that handle no request, those that have just begun excepted. */
  closeWaiting(): void;
  /** Cuts every connection. */
  cut(): void;
  /** Stops the timer that watches the connections. */
  stop(): void;
}

interface HeldRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly handle: RequestListener;
  readonly since: number;
}

/** Connections accepted beyond the limit, to wait for a place or to get a 503. Node closes any further ones. */
const reserve = 256;
/** How long a request waits for a place, in milliseconds. */
const holdLimit = 4000;
/** How often pressure is reported at most, in milliseconds. */
const reportInterval = 10_000;
/** How long a client should wait before it tries again, in seconds. */
const retryAfter = "5";

function refuse(request: IncomingMessage, response: ServerResponse): void {
  const headers = { "Retry-After": retryAfter, Connection: "close" };
  sendError(request, response, { status: 503, code: "UNAVAILABLE", message: "too many connections", headers });
}

export interface ConnectionReports {
  /** Called, at most every ten seconds, when connections were closed because a limit was reached. */
  readonly pressure: (pressure: ConnectionPressure) => void;
  /** Called for each handshake that was begun and came to nothing. */
  readonly handshakeFailed: (failure: HandshakeFailure) => void;
}

/**
 * Gives the connections of a server their places. When all are taken, connections that wait make place, the longest
 * waiting first. A connection that handles a request is never closed for another one, so that no push is cut: if all of
 * them do, a new one gets a 503.
 *
 * @param onUnixSocket Whether the server listens on a Unix socket.
 */
export function limitConnections(
  server: HttpServer | HttpsServer,
  onUnixSocket: () => boolean,
  { pressure, handshakeFailed }: ConnectionReports,
): ConnectionLimit {
  let limits: ConnectionLimits | undefined;
  const admitted = new Set<Connection>();
  /** One request a connection. */
  const held = new Map<Connection, HeldRequest>();
  let [refused, evicted, reported] = [0, 0, Number.NEGATIVE_INFINITY];
  let client: string | undefined;

  const table = connectionTable({
    admits(peer, connectionsOfNetwork) {
      if (limits === undefined || connectionsOfNetwork < limits.connectionsPerAddress) return true;
      const address = plainAddress(peer);
      if (limits.trustedProxies.has(address)) return true;
      refused++;
      client = address;
      return false;
    },
    onClose(connection) {
      // Not here and now: a place that is being made belongs to the one that it is made for.
      if (admitted.delete(connection) && held.size > 0) setImmediate(admitHeld);
    },
    onHandshakeFailed: handshakeFailed,
    onSweep(now) {
      while (limits !== undefined && table.size > limits.maxConnections) if (evict() !== "evicted") break;
      admitHeld();
      for (const [connection, { request, response, since }] of held) {
        if (now - since <= holdLimit) continue;
        held.delete(connection);
        refuse(request, response);
      }
      if (refused + evicted === 0 || now - reported < reportInterval) return;
      pressure({ refused, client, evicted });
      [refused, evicted, reported] = [0, 0, now];
      client = undefined;
    },
  });

  function evict(): Eviction {
    const outcome = table.evict();
    if (outcome === "evicted") evicted++;
    return outcome;
  }

  /** Gives a connection its place where there is one, or one can be made. */
  function takePlace(connection: Connection): "taken" | "later" | "none" {
    while (limits !== undefined && admitted.size >= limits.maxConnections) {
      const outcome = evict();
      if (outcome !== "evicted") return outcome;
    }
    admitted.add(connection);
    return "taken";
  }

  function admitHeld(): void {
    for (const [connection, { request, response, handle }] of held) {
      const gone = table.find(request.socket) !== connection;
      if (!gone && takePlace(connection) !== "taken") return;
      held.delete(connection);
      if (!gone) handle(request, response);
    }
  }

  function take(socket: Socket, handshaking: boolean): void {
    table.accept(socket, handshaking);
    if (limits !== undefined && table.size > limits.maxConnections) evict();
  }

  if (!(server instanceof HttpsServer)) server.on("connection", (socket: Socket) => take(socket, false));
  else {
    server.on("connection", (socket: Socket) => {
      // Without an address, a connection cannot be matched to its handshake: Node's own limit applies.
      if (!onUnixSocket()) take(socket, true);
    });
    server.on("secureConnection", (socket: Socket) => {
      if (onUnixSocket()) take(socket, false);
      else table.secured(socket);
    });
    server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
      const fault = handshakeFault(error, socket);
      if (onUnixSocket()) handshakeFailed({ client: undefined, ...fault });
      else table.handshakeFailed(socket, fault);
    });
  }

  return {
    get size() {
      return table.size;
    },
    limit(next) {
      limits = next;
      server.maxConnections = next.maxConnections + reserve;
    },
    takePlain(socket) {
      if (onUnixSocket()) take(socket, false);
      else table.markPlain(socket);
    },
    admit(request, response, handle) {
      const connection = table.find(request.socket);
      // A client that sends a second request while its first is held would have many of them held.
      if (connection === undefined || held.has(connection)) {
        request.socket.destroy();
        return;
      }
      connection.response = response;
      if (admitted.has(connection)) return handle(request, response);
      if (held.size > 0) admitHeld();
      // Earlier requests have the next place.
      const outcome = held.size > 0 ? "later" : takePlace(connection);
      if (outcome === "taken") handle(request, response);
      else if (outcome === "later") held.set(connection, { request, response, handle, since: performance.now() });
      else refuse(request, response);
    },
    closeWaiting: table.closeWaiting,
    cut: table.cut,
    stop: table.stop,
  };
}

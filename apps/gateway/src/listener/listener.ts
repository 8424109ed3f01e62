import { hkdfSync } from "node:crypto";
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer, Server as HttpsServer } from "node:https";
import { Server as NetServer, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { AddressSet } from "@registry-gate/auth-kit";
import { refuseUnreadable, serveExpectations, type UnreadableRequest } from "@registry-gate/core";
import type { ListenPlace } from "../config/sections/listen.ts";
import type { ClientAuth } from "../config/sections/listen-tls.ts";
import type { TlsIdentity } from "../tls/tls-identity.ts";
import type { HandshakeFailure } from "./handshake-failure.ts";
import { type ConnectionPressure, limitConnections } from "./limit-connections.ts";
import { type Listening, listenOn } from "./listen-on.ts";
import type { ListenerOrigin } from "./listener-origin.ts";
import { type PlainRequest, refusePlainHttp } from "./plain-http.ts";
import { spreadBursts } from "./spread-bursts.ts";
import type { UnixSocketFile } from "./unix-socket.ts";

/** A socket that is listened on. */
export interface Listener {
  /** As it was asked for; with port 0 the actual port is in `name`. */
  readonly place: ListenPlace;
  readonly name: string;
  /** The file of a Unix socket that this process has made. */
  readonly file: UnixSocketFile | undefined;
  readonly secure: boolean;
  readonly clientAuth: ClientAuth;
  /** How many connections it has. */
  readonly connections: number;
  /** For new connections. Sessions that clients hold stay resumable while their authorities are the same. */
  setTls(identity: TlsIdentity): void;
  setLimits(limits: ListenerLimits): void;
  /** Accepts nothing more, and resolves when every connection has ended. Those that wait are ended at once. */
  close(): Promise<void>;
  /** Cuts every connection. */
  cut(): void;
}

export interface ListenerLimits {
  /** Connections that stay silent for longer are cut, in milliseconds. */
  readonly inactivity: number;
  /** How long a client may take for the head of a request, in milliseconds. */
  readonly headersTimeout: number;
  /** How many connections are served at once. */
  readonly maxConnections: number;
  /** How many connections one IPv4 address, or one IPv6 network of 64 bits, may have. */
  readonly connectionsPerAddress: number;
  /** Peers that the limit by address does not count for. */
  readonly trustedProxies: AddressSet;
}

/** What a listener calls. */
export interface ListenerHandlers {
  /** Responds to a health check, whether or not its connection has a place; false where the request is none. */
  readonly checkHealth: (request: IncomingMessage, response: ServerResponse) => boolean;
  readonly handle: RequestListener;
  /** Called for each unreadable request. */
  readonly unreadable: (request: UnreadableRequest) => void;
  /** Called, at most every ten seconds, when connections were closed because a limit was reached. */
  readonly pressure: (pressure: ConnectionPressure) => void;
  /** Called for each TLS handshake that was begun and came to nothing. */
  readonly handshakeFailed: (failure: HandshakeFailure) => void;
  /** Called for each request that came without TLS to a TLS listener. */
  readonly plain: (request: PlainRequest) => void;
}

/** How often connections are looked through for a head that takes too long. */
const connectionsCheckingInterval = 1000;
/** In milliseconds. The table of connections has the same limit for those over TCP, which begins with the connection. */
const handshakeTimeout = 10_000;
/** How long those who have connected are taken in when the socket is closed, in milliseconds. */
const acceptLimit = 1000;
/** Room for a token in `Authorization` and for what portals add. */
const maxHeaderSize = 32_768;
/** As many as Node asks for (nodejs.org/api/tls.html, "ticketKeys"). */
const ticketKeyBytes = 48;

/**
 * @param former A Unix socket of this process whose place may be taken.
 * @throws {InvalidOptionsError} with paths below `listen` where the place cannot be had.
 */
export async function openListener(
  place: ListenPlace,
  tls: TlsIdentity | undefined,
  limits: ListenerLimits,
  handlers: ListenerHandlers,
  { sockets, ticketSecret }: ListenerOrigin,
  former?: UnixSocketFile,
): Promise<Listener> {
  const { checkHealth, handle, unreadable, plain } = handlers;
  const options = {
    // Uploads last for hours, so no whole request is limited in time; silence is.
    requestTimeout: 0,
    connectionsCheckingInterval,
    // The table of connections closes idle ones: Node would set two timers for each request.
    keepAliveTimeout: 0,
    maxHeaderSize,
    noDelay: true,
    // A request without a body has no stream of it: nobody reads one.
    optimizeEmptyRequests: true,
    // The gate refuses it by itself, with the body and the record of every other refusal.
    requireHostHeader: false,
    handshakeTimeout,
  };
  const clientAuth = tls?.clientAuth ?? "none";
  const asking = { requestCert: clientAuth !== "none", rejectUnauthorized: clientAuth === "required" };
  const server: HttpServer | HttpsServer =
    tls === undefined ? createHttpServer(options) : createHttpsServer({ ...options, ...asking, ...tls.options });
  // Not before: `node:cluster` gives a server the keys of the first one that has listened there, whatever is in force since.
  // No connection is accepted before this listener has run.
  if (server instanceof HttpsServer) server.on("listening", () => server.setTicketKeys(ticketKeys(ticketSecret, tls)));
  let listening: Listening | undefined;
  // First, so that every other listener of the server sees each connection too.
  const diverted = (socket: Socket): void => connections.takePlain(socket);
  if (server instanceof HttpsServer) refusePlainHttp(server, { plain, unreadable, diverted });
  const connections = limitConnections(server, () => listening?.onUnixSocket ?? "socket" in place.address, handlers);
  const handler: RequestListener = (request, response) => {
    if (!checkHealth(request, response)) connections.admit(request, response, handle);
  };
  // Of `SO_REUSEPORT`, each process has a socket of its own.
  if (sockets.siblings && !(place.shared === true && "host" in place.address)) spreadBursts(server);
  server.on("request", handler);
  serveExpectations(server, handler);
  refuseUnreadable(server, unreadable);
  const setLimits = ({ inactivity, headersTimeout, ...rest }: ListenerLimits): void => {
    server.setTimeout(inactivity);
    server.headersTimeout = headersTimeout;
    connections.limit(rest);
  };
  setLimits(limits);
  let closed: Promise<void> | undefined;
  async function close(): Promise<void> {
    listening?.file?.remove();
    if (listening?.file !== undefined || place.shared === true) await acceptWaiting(server);
    // Not by the method of the HTTP server: it also closes connections that are about to send their first request.
    const ended = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
    connections.closeWaiting();
    // A connection that is busy now becomes idle when its request has ended.
    const sweep = setInterval(connections.closeWaiting, 100);
    await ended;
    clearInterval(sweep);
    server.close();
    connections.stop();
  }
  try {
    listening = await listenOn(server, place, sockets, former);
  } catch (error) {
    connections.stop();
    throw error;
  }

  return {
    place,
    name: listening.name,
    file: listening.file,
    secure: tls !== undefined,
    clientAuth,
    get connections() {
      return connections.size;
    },
    setTls(identity) {
      if (!(server instanceof HttpsServer)) throw new TypeError("the listener has no TLS");
      server.setSecureContext(identity.options);
      server.setTicketKeys(ticketKeys(ticketSecret, identity));
    },
    setLimits,
    close() {
      closed ??= close();
      return closed;
    },
    cut: connections.cut,
  };
}

/**
 * The keys of session tickets. A resumed session brings its certificate along unverified: authorities that are gone must not
 * live on in one, so that others have other keys.
 */
function ticketKeys(secret: Uint8Array, identity: TlsIdentity | undefined): Buffer {
  const authorities = identity?.files[2]?.content ?? Buffer.alloc(0);
  return Buffer.from(hkdfSync("sha512", secret, authorities, "TLS session tickets", ticketKeyBytes));
}

/**
 * Lets Node accept who has connected already: closing the socket would reset them. Node looks for connections between two
 * turns of its loop, and accepts one each time. Nobody else comes to a Unix socket whose file has gone; on a shared port
 * others may, so that this is limited in time.
 */
async function acceptWaiting(server: NetServer): Promise<void> {
  let accepted = 0;
  const count = (): void => void accepted++;
  server.on("connection", count);
  const deadline = performance.now() + acceptLimit;
  let before: number;
  do {
    before = accepted;
    await nextTurn();
    await nextTurn();
  } while (accepted > before && performance.now() < deadline);
  server.removeListener("connection", count);
}

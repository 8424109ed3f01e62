import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { lstat, unlink } from "node:fs/promises";
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer, Server as HttpsServer } from "node:https";
import { connect } from "node:net";
import { dirname } from "node:path";
import { InvalidOptionsError } from "@registry-gate/auth";
import { type AddressSet, refuseUnreadable, serveExpectations, type UnreadableRequest } from "registry-gate";
import { everyAddress, formatListenAddress } from "../config/address.ts";
import type { ClientAuth, ListenAddress } from "../config/configuration.ts";
import { type ConnectionPressure, limitConnections } from "./limit-connections.ts";
import type { TlsIdentity } from "./tls.ts";

/** A socket that is listened on. */
export interface Listener {
  /** As it was asked for; with port 0 the actual port is in `name`. */
  readonly address: ListenAddress;
  readonly name: string;
  readonly secure: boolean;
  readonly clientAuth: ClientAuth;
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
  readonly handle: RequestListener;
  /** Is told of what was refused before it was a request. */
  readonly unreadable: (request: UnreadableRequest) => void;
  /** Is told, now and then, of connections that were closed for want of places. */
  readonly pressure: (pressure: ConnectionPressure) => void;
}

/** Longer than load balancers keep an idle connection, so that it is they who end it: commonly 60 s. */
const keepAliveTimeout = 75_000;
/** How often connections are looked through for a head that takes too long. */
const connectionsCheckingInterval = 1000;
/** Of connections on a Unix socket; the table of connections has a limit for those over TCP. In milliseconds. */
const handshakeTimeout = 10_000;
/** Room for a token in `Authorization` and for what portals add. */
const maxHeaderSize = 32_768;

/** @throws {InvalidOptionsError} at `listen.address` where the address cannot be had. */
export async function openListener(
  address: ListenAddress,
  tls: TlsIdentity | undefined,
  limits: ListenerLimits,
  { handle, unreadable, pressure }: ListenerHandlers,
): Promise<Listener> {
  const options = {
    // Uploads last for hours, so no whole request is limited in time; silence is.
    requestTimeout: 0,
    connectionsCheckingInterval,
    keepAliveTimeout,
    maxHeaderSize,
    noDelay: true,
    // The gate refuses it by itself, with the body and the record of every other refusal.
    requireHostHeader: false,
    ...("socket" in address && { handshakeTimeout }),
  };
  const clientAuth = tls?.clientAuth ?? "none";
  const asking = { requestCert: clientAuth !== "none", rejectUnauthorized: clientAuth === "required" };
  const server: HttpServer | HttpsServer =
    tls === undefined ? createHttpServer(options) : createHttpsServer({ ...options, ...asking, ...tls.options });
  let authorities = authoritiesOf(tls);
  const connections = limitConnections(server, "socket" in address, pressure);
  const handler: RequestListener = (request, response) => connections.admit(request, response, handle);
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
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    const closeWaiting = (): void => {
      server.closeIdleConnections();
      connections.closeUnused();
    };
    closeWaiting();
    // A connection that is busy now becomes idle when its request has ended.
    const sweep = setInterval(closeWaiting, 100);
    await ended;
    clearInterval(sweep);
    connections.stop();
  }
  if ("socket" in address) await removeStaleSocket(address.socket);
  try {
    await listen(server, address);
  } catch (error) {
    connections.stop();
    throw error;
  }

  return {
    address,
    name: nameOf(server, address),
    secure: tls !== undefined,
    clientAuth,
    setTls(identity) {
      if (!(server instanceof HttpsServer)) throw new TypeError("the listener is not a TLS one");
      const tickets = server.getTicketKeys();
      server.setSecureContext(identity.options);
      // A resumed session brings its certificate along unverified: authorities that are gone must not live on in one.
      server.setTicketKeys(authoritiesOf(identity) === authorities ? tickets : randomBytes(tickets.length));
      authorities = authoritiesOf(identity);
    },
    setLimits,
    close() {
      closed ??= close();
      return closed;
    },
    cut: connections.cut,
  };
}

function authoritiesOf(identity: TlsIdentity | undefined): string | undefined {
  return identity?.files[2]?.content.toString("latin1");
}

function listen(server: HttpServer | HttpsServer, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const message = reasonOf(error, address);
      reject(new InvalidOptionsError([{ path: ["listen", "address"], message }], { cause: error }));
    });
    const listening = (): void => resolve();
    if ("socket" in address) server.listen(address.socket, listening);
    // Without a host, Node takes IPv4 where the machine has no IPv6.
    else if (address.host === everyAddress) server.listen(address.port, listening);
    else server.listen(address.port, address.host, listening);
  });
}

function reasonOf({ code }: NodeJS.ErrnoException, address: ListenAddress): string {
  const name = formatListenAddress(address);
  if ("socket" in address) {
    if (code === "EINVAL") return `${name} is too long for the path of a socket`;
    // The system's ENOENT comes as EACCES, too.
    if (code === "EACCES" && !existsSync(dirname(address.socket))) return `the directory of ${name} does not exist`;
  }
  const reasons: Record<string, string> = {
    EADDRINUSE: `${name} is in use`,
    EACCES: `no permission to listen on ${name}`,
    EADDRNOTAVAIL: `${name} is no address of this machine`,
    ENOTFOUND: `${name} is not known`,
  };
  return reasons[code ?? ""] ?? `cannot listen on ${name} (${code})`;
}

/** A socket file that nobody listens on is left over from a process that was killed. */
async function removeStaleSocket(path: string): Promise<void> {
  const status = await lstat(path).catch(() => undefined);
  if (!status?.isSocket()) return;
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
  if (!alive) await unlink(path);
}

function nameOf(server: HttpServer | HttpsServer, address: ListenAddress): string {
  const actual = server.address();
  if (actual === null || typeof actual === "string" || "socket" in address) return formatListenAddress(address);
  const host = address.host === everyAddress ? actual.address : address.host;
  return formatListenAddress({ host, port: actual.port });
}

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { clientNetwork, plainAddress } from "@registry-gate/auth-kit";
import { type HandshakeFailure, type HandshakeFault, leftHandshake, slowHandshake } from "./handshake-failure.ts";

/** A connection that was accepted. */
export interface Connection {
  /** Once the TLS handshake has ended, the TLS one. */
  readonly socket: Socket;
  /** The response to the latest request. Its handler sets it; the connection is busy until the response is closed. */
  response: ServerResponse | undefined;
}

/** The connections of one listener. */
export interface ConnectionTable {
  readonly size: number;
  /**
   * Takes in a connection, or closes it at once.
   *
   * @param handshaking Whether it is one over TCP whose TLS handshake comes first.
   */
  accept(socket: Socket, handshaking: boolean): void;
  /** Must be called after that handshake, with the socket that Node hands out then. */
  secured(socket: Socket): void;
  /** Must be called for a connection that begins without TLS. It is closed when its time for a handshake is over. */
  markPlain(socket: Socket): void;
  /** Must be called where a handshake has failed, with the socket that Node has made for it. */
  handshakeFailed(socket: Socket, fault: HandshakeFault): void;
  find(socket: Socket): Connection | undefined;
  /** Closes the connection that has waited for longest, if one has waited for a while. */
  evict(): Eviction;
  /**
   * Closes those that handle no request: idle ones at once, and those that have had none yet when they have had some time
   * to send one.
   */
  closeWaiting(): void;
  /** Cuts every connection. */
  cut(): void;
  /** Stops the timer that watches the connections. */
  stop(): void;
}

/** `later`: some wait, and may be closed in a second or two. `none`: all are busy. */
export type Eviction = "evicted" | "later" | "none";

export interface ConnectionTableOptions {
  /** Whether one more connection from this network is taken in; see `clientNetwork`. */
  readonly admits: (peer: string, connectionsOfNetwork: number) => boolean;
  /** Is called when a connection has gone, or is about to. */
  readonly onClose: (connection: Connection) => void;
  /** Called for each failed handshake over TCP, except those that the table closed for other connections. */
  readonly onHandshakeFailed: (failure: HandshakeFailure) => void;
  /** Is called once a second. */
  readonly onSweep: (now: number) => void;
}

interface Entry extends Connection {
  socket: Socket;
  /** What it is counted by; `undefined` on a Unix socket. */
  readonly network: string | undefined;
  /** By what it is found again after its handshake; `undefined` when that has ended. */
  handshake: string | undefined;
  /** Whether it has handled a request. */
  used: boolean;
  /** Whether a failed handshake is not reported. */
  quiet: boolean;
  /** The peer's address. */
  readonly client: string | undefined;
  /** Since when it waits, by the clock of `performance.now`. */
  since: number;
  /** How many bytes had come on it when it was looked at last, and since when it is idle without one more. */
  heard: number;
  silentSince: number;
}

/** How long a TLS handshake may take, in milliseconds. */
const handshakeLimit = 10_000;
/** How long a client may take to its first byte, in milliseconds. */
const firstByteLimit = 10_000;
/**
 * How long a connection may be idle, in milliseconds: longer than load balancers keep one, so that it is they who end it,
 * commonly after 60 s.
 */
const idleLimit = 75_000;
/** Clients pause between two requests. Only connections that wait for longer are closed for others, in milliseconds. */
const evictableAfter = 1000;
/** At shutdown, how long a new connection may still send its first request, in milliseconds. */
const beginningTime = 2000;
const sweepInterval = 1000;
/** How often connections are searched for one to close at most: a search takes time when there are thousands. */
const searchInterval = 100;

/**
 * Keeps a table of connections. Each of them either handles a request, or waits: for the end of its TLS handshake, for
 * its first byte, for the rest of a head, or for the next request. The table closes those whose handshake, first byte or
 * next request does not come in time; for heads Node has a limit of its own.
 *
 * One look through the table a second stands in place of a timer for each connection. A request costs a look-up and a
 * write: that its response has ended is noticed when the table is looked through.
 */
export function connectionTable({
  admits,
  onClose,
  onHandshakeFailed,
  onSweep,
}: ConnectionTableOptions): ConnectionTable {
  const entries = new Map<Socket, Entry>();
  const handshakes = new Map<string, Entry>();
  const perNetwork = new Map<string, number>();
  /** Those that may be closed for others, the longest waiting last. Some may have become busy since. */
  let evictable: { readonly entry: Entry; readonly since: number }[] = [];
  let searched = Number.NEGATIVE_INFINITY;
  /** Whether some waited at the last search, but not for long enough. */
  let moreLater = false;
  /** Of a connection that is closing: Node says why its handshake failed only when its socket has no address any more. */
  let ending: Entry | undefined;

  function isBusy(entry: Entry, now: number): boolean {
    if (entry.response === undefined) return false;
    if (!entry.response.closed) return true;
    entry.response = undefined;
    entry.used = true;
    entry.since = now;
    entry.silentSince = now;
    return false;
  }

  /** Whether nothing has come for too long. With a byte of a head, the limit for heads counts. */
  function isIdleTooLong(entry: Entry, now: number): boolean {
    const { bytesRead } = entry.socket;
    if (bytesRead === entry.heard) return now - entry.silentSince > idleLimit;
    entry.heard = bytesRead;
    entry.silentSince = now;
    return false;
  }

  function remove(entry: Entry): void {
    if (!entries.delete(entry.socket)) return;
    const { network, handshake } = entry;
    if (handshake !== undefined) {
      // A client may take the same port again as soon as it has reset a connection.
      if (handshakes.get(handshake) === entry) handshakes.delete(handshake);
      // One that has sent nothing, such as a check whether the port is open, has begun no handshake.
      if (!isSilent(entry)) endHandshake(entry);
    }
    if (network !== undefined) {
      const left = (perNetwork.get(network) ?? 0) - 1;
      if (left > 0) perNetwork.set(network, left);
      else perNetwork.delete(network);
    }
    onClose(entry);
  }

  function endHandshake(entry: Entry): void {
    ending = entry;
    process.nextTick(() => {
      if (ending === entry) ending = undefined;
      fail(entry, leftHandshake);
    });
  }

  function fail(entry: Entry, fault: HandshakeFault): void {
    if (entry.quiet) return;
    entry.quiet = true;
    onHandshakeFailed({ client: entry.client, ...fault });
  }

  function close(entry: Entry): void {
    entry.quiet = true;
    entry.socket.destroy();
    remove(entry);
  }

  function search(now: number): void {
    searched = now;
    moreLater = false;
    evictable = [];
    for (const entry of entries.values()) {
      if (isBusy(entry, now)) continue;
      const { since } = entry;
      if (now - since < evictableAfter) moreLater = true;
      else evictable.push({ entry, since });
    }
    evictable.sort((one, other) => other.since - one.since);
  }

  function sweep(): void {
    const now = performance.now();
    for (const entry of entries.values()) {
      if (isBusy(entry, now)) continue;
      const waited = now - entry.since;
      if (entry.handshake !== undefined) {
        if (waited <= handshakeLimit) continue;
        if (!isSilent(entry)) fail(entry, slowHandshake);
        close(entry);
      } else if ((waited > firstByteLimit && isSilent(entry)) || isIdleTooLong(entry, now)) close(entry);
    }
    onSweep(now);
  }

  const timer = setInterval(sweep, sweepInterval).unref();

  return {
    get size() {
      return entries.size;
    },
    accept(socket, handshaking) {
      const { remoteAddress: peer } = socket;
      const handshake = handshaking ? endpointsOf(socket) : undefined;
      // The client has gone already, or has too many.
      const network = peer === undefined ? undefined : clientNetwork(peer);
      const siblings = network === undefined ? 0 : (perNetwork.get(network) ?? 0);
      if ((handshaking && handshake === undefined) || (peer !== undefined && !admits(peer, siblings))) {
        socket.destroy();
        return;
      }
      const client = peer === undefined ? undefined : plainAddress(peer);
      const since = performance.now();
      const entry: Entry = {
        socket,
        network,
        client,
        handshake,
        used: false,
        quiet: false,
        since,
        heard: 0,
        silentSince: since,
        response: undefined,
      };
      entries.set(socket, entry);
      if (handshake !== undefined) handshakes.set(handshake, entry);
      if (network !== undefined) perNetwork.set(network, siblings + 1);
      socket.once("close", () => remove(entry));
    },
    secured(socket) {
      const handshake = endpointsOf(socket);
      const entry = handshake === undefined ? undefined : handshakes.get(handshake);
      if (handshake === undefined || entry === undefined) {
        socket.destroy();
        return;
      }
      handshakes.delete(handshake);
      entries.delete(entry.socket);
      entry.socket = socket;
      entry.handshake = undefined;
      entry.since = performance.now();
      entries.set(socket, entry);
      socket.once("close", () => remove(entry));
    },
    markPlain(socket) {
      const entry = entries.get(socket);
      if (entry !== undefined) entry.quiet = true;
    },
    handshakeFailed(socket, fault) {
      const handshake = endpointsOf(socket);
      const entry = handshake === undefined ? ending : handshakes.get(handshake);
      if (entry !== undefined) fail(entry, fault);
    },
    find: (socket) => entries.get(socket),
    evict() {
      const now = performance.now();
      if (evictable.length === 0 && now - searched >= searchInterval) search(now);
      for (let next = evictable.pop(); next !== undefined; next = evictable.pop()) {
        const { entry, since } = next;
        if (entries.get(entry.socket) !== entry || isBusy(entry, now) || entry.since !== since) continue;
        close(entry);
        // The connection that takes the place will wait, too.
        moreLater = true;
        return "evicted";
      }
      return moreLater ? "later" : "none";
    },
    closeWaiting() {
      const now = performance.now();
      for (const entry of entries.values()) {
        if (!isBusy(entry, now) && (entry.used || now - entry.since >= beginningTime)) close(entry);
      }
    },
    cut() {
      for (const entry of entries.values()) close(entry);
    },
    stop: () => clearInterval(timer),
  };
}

function isSilent({ socket }: Entry): boolean {
  return socket.bytesRead === 0;
}

/**
 * Both ends of a connection: Node hands out one socket before the TLS handshake and another one after it, and this is
 * what they have in common. `undefined` where the client has gone.
 */
function endpointsOf({ remoteAddress, remotePort, localAddress }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort} ${localAddress}`;
}

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { clientNetwork } from "@registry-gate/auth-kit";

/** A connection that was accepted. */
export interface Connection {
  /** Once the TLS handshake has ended, the TLS one. */
  readonly socket: Socket;
  /** That of the latest request. Whoever handles a request sets it; the connection is busy until it is closed. */
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
  /** Is to be called after that handshake, with the socket that Node hands out then. */
  secured(socket: Socket): void;
  find(socket: Socket): Connection | undefined;
  /** Closes the connection that has waited for longest, if one has waited for a while. */
  evict(): Eviction;
  /** Closes those that have never sent anything. */
  closeUnused(): void;
  /** Cuts every connection. */
  cut(): void;
  /** Looks after the connections no longer. */
  stop(): void;
}

/** `later`: some wait, and may be closed in a second or two. `none`: all are busy. */
export type Eviction = "evicted" | "later" | "none";

export interface ConnectionTableOptions {
  /** Whether one more connection from this network is taken in; see `clientNetwork`. */
  readonly admits: (peer: string, connectionsOfNetwork: number) => boolean;
  /** Is called when a connection has gone, or is about to. */
  readonly onClose: (connection: Connection) => void;
  /** Is called once a second. */
  readonly onSweep: (now: number) => void;
}

interface Entry extends Connection {
  socket: Socket;
  /** What it is counted by; `undefined` on a Unix socket. */
  readonly network: string | undefined;
  /** By what it is found again after its handshake; `undefined` when that has ended. */
  handshake: string | undefined;
  /** Since when it waits, by the clock of `performance.now`. */
  since: number;
}

/** How long a TLS handshake may take, in milliseconds. */
const handshakeLimit = 10_000;
/** How long a client may take to its first byte, in milliseconds. */
const firstByteLimit = 10_000;
/** Clients pause between two requests. Only who waits for longer may be closed for another, in milliseconds. */
const evictableAfter = 1000;
const sweepInterval = 1000;
/** How often connections are searched for one to close at most: a search takes time when there are thousands. */
const searchInterval = 100;

/**
 * Keeps a table of connections. Each of them either handles a request, or waits: for the end of its TLS handshake, for
 * its first byte, for the rest of a head, or for the next request. The table closes those whose handshake or first byte
 * does not come in time; for heads and for idle connections Node has limits of its own.
 *
 * One look through the table a second stands in place of a timer for each connection. A request costs a look-up and a
 * write: that its response has ended is noticed when the table is looked through.
 */
export function connectionTable({ admits, onClose, onSweep }: ConnectionTableOptions): ConnectionTable {
  const entries = new Map<Socket, Entry>();
  const handshakes = new Map<string, Entry>();
  const perNetwork = new Map<string, number>();
  /** Those that may be closed for others, the longest waiting last. Some may have become busy since. */
  let evictable: { readonly entry: Entry; readonly since: number }[] = [];
  let searched = Number.NEGATIVE_INFINITY;
  /** Whether some waited at the last search, but not for long enough. */
  let moreLater = false;

  function isBusy(entry: Entry, now: number): boolean {
    if (entry.response === undefined) return false;
    if (!entry.response.closed) return true;
    entry.response = undefined;
    entry.since = now;
    return false;
  }

  function remove(entry: Entry): void {
    if (!entries.delete(entry.socket)) return;
    const { network, handshake } = entry;
    // A client may take the same port again as soon as it has reset a connection.
    if (handshake !== undefined && handshakes.get(handshake) === entry) handshakes.delete(handshake);
    if (network !== undefined) {
      const left = (perNetwork.get(network) ?? 0) - 1;
      if (left > 0) perNetwork.set(network, left);
      else perNetwork.delete(network);
    }
    onClose(entry);
  }

  function close(entry: Entry): void {
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
      if (entry.handshake !== undefined ? waited > handshakeLimit : waited > firstByteLimit && isSilent(entry)) {
        close(entry);
      }
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
      const entry: Entry = { socket, network, handshake, since: performance.now(), response: undefined };
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
    find: (socket) => entries.get(socket),
    evict() {
      const now = performance.now();
      if (evictable.length === 0 && now - searched >= searchInterval) search(now);
      for (let next = evictable.pop(); next !== undefined; next = evictable.pop()) {
        const { entry, since } = next;
        if (entries.get(entry.socket) !== entry || isBusy(entry, now) || entry.since !== since) continue;
        close(entry);
        // Whoever takes the place will wait again.
        moreLater = true;
        return "evicted";
      }
      return moreLater ? "later" : "none";
    },
    closeUnused() {
      for (const entry of entries.values()) if (entry.handshake !== undefined || isSilent(entry)) close(entry);
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

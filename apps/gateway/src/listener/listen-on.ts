import type { Server } from "node:net";
import { InvalidOptionsError } from "@registry-gate/auth";
import { everyAddress, formatListenAddress, type ListenAddress } from "../config/address.ts";
import type { ListenPlace } from "../config/sections/listen.ts";
import { inheritanceHint } from "./inherited-socket.ts";
import type { SocketSource } from "./socket-source.ts";
import type { UnixSocketFile } from "./unix-socket.ts";

/** A server that listens. */
export interface Listening {
  /** With the actual port. */
  readonly name: string;
  readonly onUnixSocket: boolean;
  /** The file of a Unix socket, unless systemd has passed it. */
  readonly file: UnixSocketFile | undefined;
}

/**
 * Makes a server listen.
 *
 * @param former A Unix socket of this process whose place may be taken.
 * @throws {InvalidOptionsError} with paths below `listen`.
 */
export async function listenOn(
  server: Server,
  place: ListenPlace,
  sockets: SocketSource,
  former?: UnixSocketFile,
): Promise<Listening> {
  const { address, socketMode: mode, socketGroup: group, shared = false } = place;
  if ("socket" in address) {
    const file = await sockets.unix(server, { path: address.socket, mode, group, shared }, former);
    return { name: formatListenAddress(address), onUnixSocket: true, file };
  }
  if ("inherited" in address) {
    await listen(server, { fd: sockets.inherited(address.inherited) }, address);
  } else {
    const { host, port } = address;
    // Without a host, Node takes IPv4 where the machine has no IPv6.
    await listen(server, { ...(host !== everyAddress && { host }), port, reusePort: shared }, address);
  }
  const actual = server.address();
  if (actual === null || typeof actual === "string") {
    return { name: formatListenAddress(address), onUnixSocket: true, file: undefined };
  }
  const host = "host" in address && address.host !== everyAddress ? address.host : actual.address;
  return { name: formatListenAddress({ host, port: actual.port }), onUnixSocket: false, file: undefined };
}

function listen(
  server: Server,
  options: { readonly host?: string; readonly port: number; readonly reusePort: boolean } | { readonly fd: number },
  address: ListenAddress,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const message = reasonOf(error, address);
      reject(new InvalidOptionsError([{ path: ["listen", "address"], message }], { cause: error }));
    });
    server.listen(options, () => resolve());
  });
}

function reasonOf({ code }: NodeJS.ErrnoException, address: ListenAddress): string {
  const name = formatListenAddress(address);
  if ("inherited" in address) return `${name} is not a listening socket (${code})`;
  const reasons: Record<string, string> = {
    EADDRINUSE: `${name} is in use${inheritanceHint(process.env, process.pid)}`,
    EACCES: `no permission to listen on ${name}`,
    EADDRNOTAVAIL: `${name} is not an address of this machine`,
    ENOTFOUND: `${name} is not known`,
  };
  return reasons[code ?? ""] ?? `cannot listen on ${name} (${code})`;
}

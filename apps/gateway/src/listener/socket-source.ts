import type { Server } from "node:net";
import { findInheritedSocket, takeDescriptor } from "./inherited-socket.ts";
import { listenOnUnixSocket, type UnixSocketFile, type UnixSocketPlace } from "./unix-socket.ts";

/** Where the sockets come from that no port says everything of. */
export interface SocketSource {
  /** Whether an address and port that this process gives up can be had anew at once. */
  readonly reopens: boolean;
  /** Whether other processes accept from the same sockets. */
  readonly siblings: boolean;
  /**
   * Makes a server listen on a Unix socket.
   *
   * @param former A socket whose place may be taken.
   * @throws {InvalidOptionsError} with paths below `listen`.
   */
  unix(server: Server, place: UnixSocketPlace, former: UnixSocketFile | undefined): Promise<UnixSocketFile>;
  /**
   * Finds a socket that systemd has passed, for good.
   *
   * @returns its descriptor.
   * @throws {InvalidOptionsError} with paths below `listen`.
   */
  inherited(name: string | undefined): number;
}

/** They are made by this process, or were passed to it. */
export const ownSockets: SocketSource = {
  reopens: true,
  siblings: false,
  unix: listenOnUnixSocket,
  inherited(name) {
    const descriptor = findInheritedSocket(name, process.env, process.pid);
    takeDescriptor(descriptor);
    return descriptor;
  },
};

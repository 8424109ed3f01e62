import type { Socket } from "node:net";
import { plainAddress } from "@registry-gate/auth-kit";

/** The address at the other end of the connection, IPv4-mapped IPv6 written as IPv4; `undefined` on a Unix socket. */
export function peerAddress(socket: Socket): string | undefined {
  const address = socket.remoteAddress;
  if (address === undefined) return undefined;
  return plainAddress(address);
}

/**
 * Whether the peer is on a Unix socket. A TCP connection that the peer has reset, or that is closed, has no peer's address
 * either; while it is open it still has one of its own.
 */
export function isLocal(socket: Socket): boolean {
  return socket.remoteAddress === undefined && socket.localAddress === undefined && !socket.destroyed;
}

/** Whether the peer has gone: nobody knows any more who it was, and nobody is there to respond to. */
export function isGone(socket: Socket): boolean {
  return socket.destroyed || (socket.remoteAddress === undefined && !isLocal(socket));
}

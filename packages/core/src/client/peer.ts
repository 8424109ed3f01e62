import type { Socket } from "node:net";
import { plainAddress } from "@registry-gate/auth-kit";

/** The address at the other end of the connection, IPv4-mapped IPv6 written as IPv4; `undefined` on a Unix socket. */
export function peerAddress(socket: Socket): string | undefined {
  const address = socket.remoteAddress;
  if (address === undefined) return undefined;
  return plainAddress(address);
}

/**
 * Whether the peer is on a Unix socket. A TCP connection that is closed, or that the peer has reset, has no remote
 * address either; an open one still has a local address.
 */
export function isUnixSocket(socket: Socket): boolean {
  return socket.remoteAddress === undefined && socket.localAddress === undefined && !socket.destroyed;
}

/** Whether the peer has disconnected: its address is unknown, and nobody receives a response. */
export function isGone(socket: Socket): boolean {
  return socket.destroyed || (socket.remoteAddress === undefined && !isUnixSocket(socket));
}

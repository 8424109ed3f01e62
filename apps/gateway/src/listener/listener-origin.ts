import { randomBytes } from "node:crypto";
import { ownSockets, type SocketSource } from "./socket-source.ts";

/** What listeners of one gateway have in common, whichever process opens them. */
export interface ListenerOrigin {
  readonly sockets: SocketSource;
  /** 32 random bytes or more. Listeners of one secret resume each other's TLS sessions. */
  readonly ticketSecret: Uint8Array;
}

/** Of a process that is a gateway by itself. */
export function ownOrigin(): ListenerOrigin {
  return { sockets: ownSockets, ticketSecret: randomBytes(32) };
}

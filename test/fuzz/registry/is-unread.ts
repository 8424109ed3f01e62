import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";

/**
 * Whether the other end of a connection over IPv4 loopback has yet to read some of what was written to it.
 *
 * @param raw The connection itself, where `socket` is the TLS in it: what TLS still holds is on no queue of the kernel.
 */
export async function isUnread(socket: Socket, raw: Socket = socket): Promise<boolean> {
  if (raw.destroyed) return false;
  if (socket.writableLength > 0 || raw.writableLength > 0) return true;
  const ends = [raw.localPort, raw.remotePort].map(inTable);
  // proc_pid_net(5): a line has both ends, the state, and how many bytes wait to be taken and to be read.
  const line = /^ *\d+: 0100007F:([0-9A-F]{4}) 0100007F:([0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):([0-9A-F]{8}) /gm;
  for (const [, from, to, untaken, unread] of (await readFile("/proc/self/net/tcp", "latin1")).matchAll(line)) {
    if (from === ends[0] && to === ends[1] && untaken !== nothing) return true;
    if (from === ends[1] && to === ends[0] && unread !== nothing) return true;
  }
  return false;
}

const nothing = "00000000";

function inTable(port: number | undefined): string {
  return (port ?? 0).toString(16).toUpperCase().padStart(4, "0");
}
